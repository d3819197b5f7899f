#include "consentgate/usecase/token.h"

#include "consentgate/core/grant.h"
#include "consentgate/sys/log.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

Handled post_token(const Request& request, Site& site) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (auto checked = core::check_client_authentication(*form, request.authorization); !checked) return checked.error();
    const auto granted = usecase::grant_token(site.world, *form, request.now);
    if (!granted) return granted.error();
    sys::log_event("token", {{"id", request.event_id}, {"session", granted->session.id.text}, {"client", granted->session.client_id.text}});
    return answer_json(200, core::token_document(*granted, request.now))
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache");
}

// law: RFC 7009 section 2.2: 200 for every token, known or not
Handled post_revoke(const Request& request, Site& site) {
    const auto form = read_form(request);
    if (!form) return form.error();
    if (auto checked = core::check_client_authentication(*form, request.authorization); !checked) return checked.error();
    if (auto revoked = usecase::revoke_token(site.world, *form, request.now); !revoked) return revoked.error();
    return Reply{200, {}, {}}.header("Cache-Control", "no-store");
}

} // namespace consentgate::web
