#include "consentgate/core/oauth/metadata.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {
namespace {

Handled document(const std::string& text) {
    return answer_json(200, text).header("Cache-Control", "public, max-age=300");
}

} // namespace

Handled get_wellknown(const Request& request, WebContext& context) {
    if (request.path == core::endpoint::server_metadata + context.deps.policy.issuer_path())
        return document(context.server_metadata);
    for (const auto& [path, text] : context.resource_metadata) {
        if (request.path == path) return document(text);
    }
    return core::make_error(
        core::ErrorCode::not_found, core::PublicMessage{"there is no such document"});
}

} // namespace consentgate::web
