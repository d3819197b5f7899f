#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/token.h"
#include "consentgate/usecase/upstream_tokens.h"

#include "consentgate/sys/log.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {
namespace {

// Somebody who guesses secrets is told to wait; what is right is never held up by what was wrong (T36).
core::Error slow_down(const core::Error& error, const Request& request, Site& site) {
    if (error.fault != core::Fault::invalid_client) return error;
    const auto admitted = admit(request, site, "client_auth", site.limits.failed_authentications_per_minute);
    return admitted ? error : admitted.error();
}

Handled exchange(const core::Form& form, const Request& request, Site& site) {
    auto document = usecase::exchange_token(site.world, {form, request.authorization}, request.now);
    if (!document) return slow_down(document.error(), request, site);
    return answer_json(200, std::move(*document)).header("Cache-Control", "no-store").header("Pragma", "no-cache");
}

} // namespace

Handled post_token(const Request& request, Site& site) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (form->get("grant_type") == core::token_exchange_grant) return exchange(*form, request, site);
    const auto granted = usecase::grant_token(site.world, {*form, request.authorization}, request.now);
    if (!granted) return slow_down(granted.error(), request, site);
    sys::log_event("token", {{"id", request.event_id}, {"session", granted->session.id.text}, {"client", granted->session.client_id.text}});
    return answer_json(200, core::token_document(*granted, request.now))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

// law: RFC 7009 section 2.2: 200 for every token, known or not
Handled post_revoke(const Request& request, Site& site) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (auto revoked = usecase::revoke_token(site.world, {*form, request.authorization}, request.now); !revoked) return slow_down(revoked.error(), request, site);
    return Reply{200, {}, {}}.header("Cache-Control", "no-store");
}

// Without CORS: resource servers are no browsers.
Handled post_introspect(const Request& request, Site& site) {
    const auto form = read_form(request);
    if (!form) return form.error();
    auto document = usecase::introspect_token(site.world, {*form, request.authorization}, request.now);
    if (!document) return slow_down(document.error(), request, site);
    return answer_json(200, std::move(*document)).header("Cache-Control", "no-store").header("Pragma", "no-cache");
}

} // namespace consentgate::web
