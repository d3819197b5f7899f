#include "consentgate/usecase/gate.h"

#include "consentgate/core/access/shared_facts.h"
#include "consentgate/core/oauth/gate.h"
#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/access.h"
#include "consentgate/usecase/assertions.h"
#include "consentgate/usecase/upstream_tokens.h"

#include "account_doubts.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;

core::Result<core::Service> authorize_active_service(
    const std::optional<core::Service>& service, const core::SessionView& view, core::Instant now) {
    if (!service || !service->active) {
        return core::make_error(
            ErrorCode::service_unavailable,
            core::PublicMessage{"the service behind this server is switched off"},
            core::LogDetail{service ? "the service is disabled" : "the service was removed"});
    }
    auto valid = core::authorize_service(service, view.session.identity, view.virtual_key, now);
    if (valid) return valid;
    // A new sign-in with this key would not help, so the answer must not ask for one (RS6).
    return core::make_error(
        ErrorCode::forbidden,
        core::PublicMessage{
            "this key may not use the service behind this server; who gave you the key can change "
            "that"},
        core::LogDetail{valid.error().reason});
}

core::Error probe_refusal() {
    return core::make_error(
        ErrorCode::forbidden, core::PublicMessage{std::string(probe_message)},
        core::LogDetail{"the doctor asks how people are refused"});
}

// The client is read for a refusal alone.
core::Error scope_refusal(
    Dependencies& deps, const core::Session& session, const core::ScopeSet& needed) {
    const auto client = deps.store.clients.find(session.client_id);
    const auto obtainable =
        client ? core::max_scope(*client, deps.policy) : deps.policy.catalogue();
    return core::missing_scope(session, needed, obtainable, deps.policy);
}

constexpr int part_of_life = 5; // a client that renews its token has waited until the last fifth

// Until when a request for a new token would be too early to be about the token's age.
void note_call(Dependencies& deps, const core::Session& session, core::Instant now) {
    if (!deps.calls) return;
    const auto renewed = session.token_ends() - deps.policy.session_lifetime / part_of_life;
    deps.calls->note_call(session.id, std::min(now + sys::RecentCalls::longest, renewed), now);
}

// With the facts that the server behind reads.
CallGrant grant_of(
    Dependencies& deps, const core::GuardedResource& resource, Authorized authorized,
    core::Instant now) {
    CallGrant grant{.view = std::move(authorized.view), .upstream = std::nullopt};
    const auto& rights = authorized.rights;
    if (rights.person)
        grant.person = core::shared_facts(*rights.person, resource.facts.groups, *rights.rules);
    if (resource.facts.assertion != core::AssertionPlace::off)
        grant.assertion = deps.assertions->of_call(
            *grant.view, grant.person ? &*grant.person : nullptr, deps.policy, now);
    return grant;
}

bool comes_too_early(
    Dependencies& deps, const core::Session& session, const core::LinkedAccount& account,
    core::Instant now) {
    return deps.calls && deps.calls->called_lately(session.id, now) &&
           core::may_have_been_refused(account, now);
}

} // namespace

core::Result<CallGrant> authorize_call(
    Dependencies& deps, const core::GuardedResource& resource, const core::Secret& token,
    core::Instant now) {
    auto authorized = authorize_access(deps, token, resource.url, now);
    if (!authorized && deps.keyring.is_probe(token)) return probe_refusal();
    if (!authorized) return authorized.error();
    const auto& view = *authorized->view;
    const auto& needed = deps.policy.scopes_of(resource);
    if (auto may = authorized->rights.check_needed_scope(resource.url, needed, deps.policy); !may)
        return may.error();
    if (!core::check_scope(view.session, needed, deps.policy))
        return scope_refusal(deps, view.session, needed);
    if (resource.service.empty()) return grant_of(deps, resource, std::move(*authorized), now);
    const core::ServiceId service_id(resource.service);
    if (auto may = authorized->rights.check_service(service_id); !may) return may.error();
    auto account = deps.store.accounts.find_with_service(
        view.session.identity.owner(view.session.id), service_id);
    const auto service = authorize_active_service(account.service, view, now);
    if (!service) return service.error();
    auto upstream =
        fresh_upstream_token(deps, view.session, *service, now, std::move(account.token));
    if (!upstream && upstream.error().code == ErrorCode::interaction_required)
        upstream.error().message =
            "an account has to be connected first; sign in again, and connect it there";
    if (!upstream) return upstream.error();
    note_call(deps, view.session, now);
    auto call = core::call_id(upstream->called, deps.keyring);
    auto grant = grant_of(deps, resource, std::move(*authorized), now);
    grant.upstream = std::move(upstream->access_token);
    grant.key_header = service->key_header;
    grant.call = std::move(call);
    return grant;
}

bool connection_holds(
    Dependencies& deps, const core::Session& session, const Rights& rights, core::Instant now) {
    const auto guarded = deps.policy.known_resource(session.resource);
    if (!guarded || guarded->service.empty()) return true;
    const auto owner = session.identity.owner(session.id);
    const core::ServiceId id(guarded->service);
    if (!rights.may_use_service(id)) return true; // connecting it is not offered
    auto [service, account] = deps.store.accounts.find_with_service(owner, id);
    if (!service || !service->active) return true; // connecting it is not offered
    if (account && comes_too_early(deps, session, *account, now)) {
        auto doubted = doubt_token(
            deps, *account, account->version, core::TokenRefusal::likely, "refresh", now);
        // The web server's report may have come meanwhile, and counts as well.
        account = doubted ? std::move(doubted) : deps.store.accounts.find(owner, id);
    }
    if (!account) return false;
    if (!account->doubted_at || core::braked_until(*account, now))
        return core::freshness_of(*account, now) != core::Freshness::broken;
    const auto fresh = fresh_upstream_token(deps, session, *service, now, std::move(account));
    return fresh || fresh.error().code != ErrorCode::interaction_required;
}

bool lacks_connection(
    Dependencies& deps, const std::string& resource, const core::Owner& owner, const Rights& rights,
    core::Instant now) {
    const auto guarded = deps.policy.known_resource(resource);
    if (!guarded || guarded->service.empty()) return false;
    const core::ServiceId id(guarded->service);
    if (!rights.may_use_service(id)) return false; // connecting it is not offered
    const auto [service, token] = deps.store.accounts.find_with_service(owner, id);
    if (!service || !service->active) return false; // connecting it is not offered
    return !token || core::freshness_of(*token, now) == core::Freshness::broken;
}

} // namespace consentgate::usecase
