#include "consentgate/usecase/authorize.h"

#include "consentgate/core/metadata.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

// An existing cookie is kept, so that two tabs can run two flows; a missing or malformed one is replaced.
Handled get_authorize(const Request& request, Site& site) {
    if (auto admitted = admit(request, site, "authorize", site.limits.authorizations_per_minute); !admitted) return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto known = browser_secret(request, site.cookie_name);
    const auto secret = known ? *known : site.world.random.secret();
    const auto flow = usecase::begin_authorize(site.world, *query, core::sha256(secret), request.now);
    if (!flow) return flow.error();
    if (known) {
        if (const auto recalled = usecase::recall_consent(site.world, *flow, *query, secret, request.now)) {
            sys::log_event("consent", {{"id", request.event_id}, {"session", recalled->session_id.text}, {"recalled", "yes"}});
            return answer_redirect(recalled->location.reveal());
        }
    }
    auto reply = answer_redirect(std::string(core::path::identity_page) + "?flow_id=" + flow->id.text);
    if (!known) reply.header("Set-Cookie", browser_cookie(secret, site));
    return reply;
}

} // namespace consentgate::web
