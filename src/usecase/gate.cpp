#include "consentgate/usecase/gate.h"

#include "consentgate/core/gate.h"
#include "consentgate/core/upstream.h"
#include "consentgate/usecase/access.h"
#include "consentgate/usecase/upstream_tokens.h"

namespace consentgate::usecase {
namespace {

using core::Fault;

core::Result<core::Service> judge_open_service(const std::optional<core::Service>& service, const core::SessionView& view, core::Instant now) {
    if (!service || !service->active) {
        return core::refuse(Fault::service_unavailable, core::Say{"the service behind this server is switched off"}, core::Why{service ? "the service is disabled" : "the service was removed"});
    }
    auto judged = core::judge_service(service, view.session.identity, view.virtual_key, now);
    if (judged) return judged;
    // No new sign-in with this key would help, so the answer must not ask for one (requirement RS6).
    return core::refuse(Fault::not_allowed, core::Say{"this key may not use the service behind this server"}, core::Why{judged.error().why});
}

} // namespace

core::Result<Passage> pass_gate(World& world, const core::GuardedResource& resource, const core::Secret& token, core::Instant now) {
    auto view = check_access(world, token, resource.url, now);
    if (!view) return view.error();
    if (auto judged = core::judge_scope(view->session, world.policy.scopes_of(resource), world.policy); !judged) return judged.error();
    if (resource.service.empty()) return Passage{std::move(*view), std::nullopt};
    auto account = world.store.find_account(core::token_owner(view->session.identity, view->session.id), core::ServiceId(resource.service));
    const auto service = judge_open_service(account.service, *view, now);
    if (!service) return service.error();
    auto upstream = fresh_upstream_token(world, view->session, *service, now, std::move(account.token));
    if (!upstream && upstream.error().fault == Fault::interaction_required) upstream.error().say = "an account has to be connected first; sign in again, and connect it there";
    if (!upstream) return upstream.error();
    return Passage{std::move(*view), std::move(upstream->access_token)};
}

bool lacks_connection(World& world, const std::string& resource, const std::string& owner, core::Instant now) {
    const auto guarded = world.policy.known_resource(resource);
    if (!guarded || guarded->service.empty()) return false;
    const auto [service, token] = world.store.find_account(owner, core::ServiceId(guarded->service));
    if (!service || !service->active) return false; // connecting it is not offered
    return !token || core::freshness_of(*token, now) == core::Freshness::broken;
}

} // namespace consentgate::usecase
