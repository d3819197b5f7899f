#include "consentgate/core/metadata.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {
namespace {

Handled document(const std::string& text) { return answer_json(200, text).header("Cache-Control", "public, max-age=300"); }

} // namespace

Handled get_wellknown(const Request& request, Site& site) {
    if (request.path == core::path::server_metadata + site.world.policy.issuer_path()) return document(site.server_metadata);
    for (const auto& [path, text] : site.resource_metadata) {
        if (request.path == path) return document(text);
    }
    return core::refuse(core::Fault::not_found, core::Say{"there is no such document"});
}

} // namespace consentgate::web
