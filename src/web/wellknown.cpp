#include "consentgate/core/oauth/metadata.h"
#include "consentgate/usecase/assertions.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {
namespace {

Handled document(const std::string& text) {
    return answer_json(200, text).header("Cache-Control", "public, max-age=300");
}

// The document at this very path; null when there is none.
const std::string* document_at(std::string_view path, const WebContext& context) {
    if (path == core::endpoint::server_metadata + context.deps.policy.issuer_path())
        return &context.server_metadata;
    for (const auto& [own, text] : context.resource_metadata) {
        if (path == own) return &text;
    }
    return nullptr;
}

} // namespace

// Clients that join addresses end them with a slash. Where a resource itself ends so, its document
// is the one at the very path.
// spec: docs/requirements.md XE6
Handled get_wellknown(const Request& request, WebContext& context) {
    std::string_view path = request.path;
    const auto* found = document_at(path, context);
    if (found == nullptr && path.ends_with('/')) {
        path.remove_suffix(1);
        found = document_at(path, context);
    }
    if (found != nullptr) return document(*found);
    return core::make_error(
        core::ErrorCode::not_found, core::PublicMessage{"there is no such document"});
}

// Servers behind verify assertions by it, also in a browser.
// spec: RFC 7517; docs/requirements_signin.md SI76
Handled get_key_set(const Request&, WebContext& context) {
    return document(context.deps.assertions->key_set());
}

} // namespace consentgate::web
