#include "consentgate/usecase/probe_session.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/usecase/rights.h"

namespace consentgate::usecase {
namespace {

constexpr const char* doctor_name = "consentgate doctor";
constexpr core::Span longest{60}; // where the doctor does not come to its end
constexpr const char* doctor_redirect = "http://127.0.0.1:9/doctor"; // nobody is sent there

} // namespace

std::optional<core::Identity> probe_identity(const core::Policy& policy) {
    using Kind = core::IdentityKind;
    for (const auto& identity :
         {core::Identity{Kind::skipped, {}}, core::Identity{Kind::user_id, doctor_name},
          core::Identity{Kind::verified_user, doctor_name}})
        if (core::check_admitted(identity, policy)) return identity;
    return std::nullopt;
}

std::optional<ProbeSession> begin_probe_session(
    Dependencies& deps, const core::ClientId& client, const core::GuardedResource& resource,
    const core::Identity& identity, core::Instant now) {
    const auto verifier = deps.random.secret();
    core::Flow flow;
    flow.id = core::FlowId(deps.random.id(16));
    flow.client_id = client;
    flow.browser = core::sha256(deps.random.secret()); // no browser has it
    flow.redirect_uri = doctor_redirect;
    flow.code_challenge = core::to_base64url(core::sha256_bytes(verifier.reveal()));
    flow.scope = deps.policy.scopes_of(resource);
    flow.resource = resource.url;
    flow.identity = identity;
    flow.created_at = now;
    flow.expires_at = now + deps.policy.flow_lifetime;
    deps.store.flows.put(flow);

    const core::FreshSession fresh{core::SessionId(deps.random.id(16)), deps.random.secret()};
    auto finalization = core::finalize(flow, identity, fresh, deps.keyring, deps.policy, now);
    finalization.session.expires_at = now + longest;
    // Nobody redeems its code, and a change of the server key waits for codes that are alive.
    finalization.code.expires_at = now;
    finalization.policy_version = rights_now(deps, identity).standing.policy_version;
    if (deps.store.flows.finalize(finalization) == store::Applied::no) return std::nullopt;
    return ProbeSession{
        fresh.session_id, *deps.keyring.session_token(deps.keyring.newest(), fresh.code)};
}

void end_probe_session(Dependencies& deps, const ProbeSession& session, core::Instant now) {
    deps.store.sessions.revoke(session.id, now);
}

} // namespace consentgate::usecase
