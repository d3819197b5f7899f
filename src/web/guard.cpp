#include "consentgate/web/guard.h"

#include "consentgate/core/introspection.h"
#include "consentgate/sys/log.h"

namespace consentgate::web {
namespace {

using core::Fault;

bool foreign(const Request& request, const Site& site) {
    if (request.fetch_site && *request.fetch_site != "same-origin") return true;
    if (!request.origin || *request.origin == site.world.policy.origin()) return false;
    return !(*request.origin == "null" && request.fetch_site);
}

} // namespace

core::Result<core::Form> read_form(const Request& request) {
    if (media_type(request) != "application/x-www-form-urlencoded") {
        return core::refuse(Fault::unsupported_media_type, core::Say{"the body must be application/x-www-form-urlencoded"});
    }
    return core::Form::parse(request.body);
}

core::Result<core::Form> read_own_form(const Request& request, const Site& site) {
    if (foreign(request, site)) return core::refuse(Fault::browser_mismatch, core::Say{"this form was sent from another site"}, core::Why{"foreign origin"});
    auto form = read_form(request);
    if (form) return form;
    // In the contract's words: no flow_id can be read from such a body (section 1, status 400).
    const auto fault = form.error().fault == Fault::unsupported_media_type ? Fault::missing_flow_id : Fault::invalid_flow;
    return core::refuse(fault, core::Say{form.error().say}, core::Why{form.error().why}, "flow_id");
}

usecase::Actor actor_of(const Request& request, const Site& site) {
    usecase::Actor actor;
    actor.secret = browser_secret(request, site.cookie_name);
    if (actor.secret) actor.browser = core::sha256(*actor.secret);
    actor.authorization = request.authorization;
    actor.remote_user = request.remote_user;
    return actor;
}

core::Checked admit(const Request& request, Site& site, std::string_view what, int most_a_minute) {
    const int seconds = site.rates.admit(what, request.remote_addr, most_a_minute, request.now);
    if (seconds == 0) return core::Nothing{};
    auto error = core::refuse(Fault::too_many_requests, core::Say{"too many requests from this address; wait a little"});
    error.retry_after_seconds = seconds;
    return error;
}

std::string browser_cookie(const core::Secret& secret, const Site& site) {
    return site.cookie_name + "=" + secret.reveal() + "; Path=/; HttpOnly; SameSite=Lax" + (site.world.policy.secure() ? "; Secure" : "");
}

void note_consent(const usecase::Submitted& submitted, std::string_view by, const Request& request, const Site& site) {
    const auto& session = submitted.session;
    site.world.count(sys::Metric::finalizations, {{"by", by}});
    sys::log_audit("consent", {{"id", request.event_id}, {"by", std::string(by)}, {"admin", submitted.by_admin ? submitted.admin : "-"},
                               {"session", session.id.text}, {"client", session.client_id.text}, {"subject", core::subject_of(session)},
                               {"identity", std::string(core::name_of(session.identity.kind))}, {"resource", session.resource},
                               {"scope", session.scope.text()}, {"address", request.remote_addr}});
}

} // namespace consentgate::web
