#include "consentgate/usecase/clients.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

Handled post_register(const Request& request, Site& site) {
    const auto type = media_type(request);
    if (type != "application/json") {
        return core::refuse(core::Fault::invalid_client_metadata, core::Say{"the body must be application/json"}, core::Why{"content type"});
    }
    if (auto admitted = admit(request, site, "register", site.limits.registrations_per_minute); !admitted) return admitted.error();
    const auto made = usecase::register_client(site.world, request.body, request.now);
    if (!made) return made.error();
    return answer_json(201, core::registration_document(made->client, made->secret)).header("Cache-Control", "no-store").header("Pragma", "no-cache");
}

} // namespace consentgate::web
