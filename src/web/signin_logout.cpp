// Where providers say that somebody signed out there.
#include "consentgate/usecase/signin_logout.h"
#include "consentgate/core/base/address.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

constexpr const char* rate = "logout"; // not that of people who come back from the provider

core::Result<std::string> read_logout_token(const Request& request) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (auto once = form->check_not_repeated({field::logout_token}); !once) return once.error();
    if (auto token = form->get(field::logout_token)) return std::move(*token);
    return core::make_error(
        core::ErrorCode::invalid_request, core::PublicMessage{"logout_token is missing"}, {},
        field::logout_token);
}

core::Result<usecase::ReceivedLogout> receive(
    const Request& request, const core::IdpId& at, WebContext& context) {
    const auto token = read_logout_token(request);
    if (!token) return token.error();
    return usecase::receive_logout(context.deps, at, *token, request.now);
}

} // namespace

// Only tokens that are not believed count against the address they come from.
// spec: OpenID Connect Back-Channel Logout 1.0 sections 2.5 and 2.8
Handled post_signin_backchannel(const Request& request, WebContext& context) {
    const auto at = service_id_below(request.path, path::signin, path::backchannel);
    if (!at)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"there is nothing at this address"});
    const int limit = context.limits.failed_authentications_per_minute;
    if (auto admitted = admit(request, context, rate, limit); !admitted) return admitted.error();
    const core::IdpId idp(at->text);
    const auto received = receive(request, idp, context);
    if (received || received.error().code != core::ErrorCode::invalid_request)
        context.rates.forgive(rate, core::caller_of(request.remote_addr), limit, request.now);
    if (!received) return received.error();
    context.deps.log.audit(
        "provider_logout",
        {{"event_id", request.event_id},
         {"idp", idp.text},
         {"subject", received->person ? core::short_name_of(*received->person) : "-"},
         {"used_before", received->used_before ? "yes" : "no"},
         {"signins", std::to_string(received->signins)},
         {"sessions", std::to_string(received->sessions)}});
    return Reply{200, {}, {}}.header("Cache-Control", "no-store");
}

} // namespace consentgate::web
