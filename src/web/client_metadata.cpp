#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {

// A document needs no service: an answer at its address is good with a state of ours alone.
Handled get_client_metadata(const Request& request, WebContext& context) {
    std::optional<core::ServiceId> own;
    if (request.path != core::endpoint::client_metadata) {
        own = service_id_below(request.path, core::endpoint::client_metadata_below, ".json");
        if (!own)
            return core::make_error(
                core::ErrorCode::not_found, core::PublicMessage{"there is no such document"});
    }
    return answer_json(200, core::own_client_document(context.deps.policy, own))
        .header("Cache-Control", "public, max-age=300");
}

} // namespace consentgate::web
