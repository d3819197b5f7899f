#include "consentgate/usecase/token.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/upstream_tokens.h"

#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

// A client that guesses secrets has to wait. Requests that authenticate are never slowed down by
// those that do not (T36).
core::Error slow_down(const core::Error& error, const Request& request, WebContext& context) {
    if (error.code != core::ErrorCode::invalid_client) return error;
    const auto admitted =
        admit(request, context, "client_auth", context.limits.failed_authentications_per_minute);
    return admitted ? error : admitted.error();
}

Handled exchange(const core::Form& form, const Request& request, WebContext& context) {
    auto document = usecase::exchange_token(
        context.deps, read_credentials(form, request.authorization, request.remote_addr),
        read_exchange_request(form), request.now);
    if (!document) return slow_down(document.error(), request, context);
    return answer_json(200, std::move(*document))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

} // namespace

Handled post_token(const Request& request, WebContext& context) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (form->get("grant_type") == core::token_exchange_grant)
        return exchange(*form, request, context);
    const auto granted = usecase::grant_token(
        context.deps, read_credentials(*form, request.authorization, request.remote_addr),
        read_token_request(*form), request.now);
    if (!granted) return slow_down(granted.error(), request, context);
    context.deps.note_use(granted->session, request.remote_addr, request.now);
    context.deps.log.event(
        "token", {{"event_id", request.event_id},
                  {"session", granted->session.id.text},
                  {"client", granted->session.client_id.text}});
    return answer_json(200, core::token_response(*granted, request.now))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

// spec: RFC 7009 section 2.2: 200 for every token, known or not
Handled post_revoke(const Request& request, WebContext& context) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (auto revoked = usecase::revoke_token(
            context.deps, read_credentials(*form, request.authorization, request.remote_addr),
            read_named_token(*form), request.now);
        !revoked)
        return slow_down(revoked.error(), request, context);
    return Reply{200, {}, {}}.header("Cache-Control", "no-store");
}

// Without CORS, because resource servers are no browsers.
Handled post_introspect(const Request& request, WebContext& context) {
    const auto form = read_form(request);
    if (!form) return form.error();
    auto document = usecase::introspect_token(
        context.deps, read_credentials(*form, request.authorization, request.remote_addr),
        read_named_token(*form), request.now);
    if (!document) return slow_down(document.error(), request, context);
    return answer_json(200, std::move(*document))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

} // namespace consentgate::web
