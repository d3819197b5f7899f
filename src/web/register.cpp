#include "consentgate/core/base/address.h"
#include "consentgate/usecase/clients.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

Handled post_register(const Request& request, WebContext& context) {
    if (!says_type(request, "application/json")) {
        return core::make_error(
            core::ErrorCode::invalid_client_metadata,
            core::PublicMessage{"the body must be application/json"},
            core::LogDetail{"content type"});
    }
    if (auto admitted =
            admit(request, context, "register", context.limits.registrations_per_minute);
        !admitted)
        return admitted.error();
    const auto made = usecase::register_client(
        context.deps, request.body, core::caller_of(request.remote_addr), request.now);
    if (!made) return made.error();
    return answer_json(201, core::registration_response(made->client, made->secret))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

} // namespace consentgate::web
