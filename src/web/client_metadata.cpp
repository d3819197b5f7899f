#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

Handled get_client_metadata(const Request&, WebContext& context) {
    return answer_json(200, core::own_client_document(context.deps.policy))
        .header("Cache-Control", "public, max-age=300");
}

} // namespace consentgate::web
