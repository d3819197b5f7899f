#include "consentgate/usecase/signin.h"

#include "not_found.h"
#include "service_call.h"
#include "signin_state.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/usecase/signin_proof.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

bool admits_people(const Dependencies& deps) {
    return deps.policy.verified_user == core::VerifiedUser::off &&
           deps.policy.identities.contains(core::IdentityKind::verified_user);
}

// Whoever signs in may make another person's flow theirs, so the flow's person is not asked for.
core::Result<core::Flow> find_own_flow(
    Dependencies& deps, const core::FlowId& id, const BrowserContext& browser_context,
    core::Instant now) {
    const auto view = deps.store.flows.find(id);
    if (!view) return open_flow(deps, id, browser_context, now).error();
    if (auto open = core::check_flow(view->flow, browser_context.browser, false, now); !open)
        return open.error();
    return view->flow;
}

// out: absent when it is not offered
std::optional<core::IdentityProvider> find_offered(
    Dependencies& deps, core::IdpId id, const std::optional<core::Flow>& flow) {
    if (!admits_people(deps)) return std::nullopt;
    if (id.text.empty() && flow) {
        const auto whose = core::person_of(flow->identity);
        const auto person = whose ? deps.store.people.find(*whose) : std::nullopt;
        if (person) id = person->idp;
    }
    auto idp = deps.store.idps.find(id);
    if (!idp || !idp->active) return std::nullopt;
    return idp;
}

// The person ended the sign-in here themselves, and single sign-on would lead straight back.
bool signed_out_before(Dependencies& deps, const std::optional<core::Digest>& cookie) {
    if (!cookie) return false;
    const auto before = deps.store.signins.find(*cookie);
    return before && before->signin.ended_by == core::SigninEnd::signed_out;
}

core::Error nobody_signed_in(const char* reason) {
    return core::make_error(
        ErrorCode::identity_required, core::PublicMessage{"sign in first"},
        core::LogDetail{reason});
}

} // namespace

std::optional<core::SignedIn> find_signed_in(
    Dependencies& deps, const core::Digest& cookie, core::Instant now) {
    auto found = deps.store.signins.find(cookie);
    if (!found || !core::stands(*found, now)) return std::nullopt;
    return found;
}

std::vector<core::IdentityProvider> offered_providers(Dependencies& deps) {
    if (!admits_people(deps)) return {};
    auto offered = deps.store.idps.list();
    std::erase_if(offered, [](const auto& idp) { return !idp.active; });
    return offered;
}

core::Result<core::Secret> start_signin(
    Dependencies& deps, const SigninRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    std::optional<core::Flow> flow;
    if (request.flow) {
        auto found = find_own_flow(deps, *request.flow, browser_context, now);
        if (!found) return found.error();
        flow = std::move(*found);
    }
    const auto idp = find_offered(deps, request.idp, flow);
    if (!idp) return not_found("there is no such way to sign in");
    const auto wanted = flow ? flow->wanted_proof : core::WantedProof{};
    auto question = core::signin_question(
        *idp, wanted, request.another || signed_out_before(deps, request.cookie));
    if (flow) demand_proof(deps, question, *idp, *flow, browser_context.signed_in, now);
    core::SigninState state;
    state.browser = browser_context.browser.value_or(core::Digest());
    state.flow = request.flow;
    return send_to_provider(deps, *idp, question, std::move(state), now);
}

core::Secret send_to_provider(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninQuestion& question,
    core::SigninState state, core::Instant now) {
    const core::SigninSecrets secrets{
        .state = deps.random.secret(),
        .nonce = deps.random.secret(),
        .verifier = deps.random.secret()};
    state.state = core::sha256(secrets.state);
    state.idp = idp.id;
    state.idp_version = idp.version;
    state.nonce = core::sha256(secrets.nonce);
    state.verifier = seal(deps, state.verifier_aad(), secrets.verifier);
    state.key_id = deps.keyring.newest();
    state.max_age = question.max_age;
    state.acr = core::join(question.acr, " ");
    state.expires_at = now + core::signin_state_lifetime;
    deps.store.signins.put_state(state);
    return core::signin_authorize_url(idp, question, secrets, deps.policy);
}

core::Result<core::FlowView> go_on_signed_in(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    const auto& signed_in = browser_context.signed_in;
    if (!signed_in) return nobody_signed_in("no sign-in stands in this browser");
    const auto identity = signed_in->identity();
    if (auto admitted = core::check_admitted(identity, deps.policy); !admitted)
        return admitted.error();
    for (int attempt = 0; attempt < max_flow_attempts; ++attempt) {
        auto view = open_flow(deps, flow, browser_context, now);
        if (!view) return view;
        if (!core::suffices(*signed_in, view->flow.wanted_proof, now))
            return nobody_signed_in("the app wants a newer proof");
        if (deps.store.flows.choose_identity(flow, view->flow.revision, identity, now) ==
            Applied::yes)
            return view;
    }
    return flow_kept_changing();
}

std::optional<core::SignedIn> sign_out(
    Dependencies& deps, const std::optional<core::FlowId>& flow,
    const BrowserContext& browser_context, core::Instant now) {
    const auto& signed_in = browser_context.signed_in;
    if (!signed_in) return std::nullopt;
    for (int attempt = 0; flow && attempt < max_flow_attempts; ++attempt) {
        const auto view = open_flow(deps, *flow, browser_context, now);
        if (!view || view->flow.identity != signed_in->identity()) break;
        if (deps.store.flows.choose_identity(*flow, view->flow.revision, core::Identity{}, now) ==
            Applied::yes)
            break;
    }
    if (deps.store.signins.end(signed_in->signin.id, core::SigninEnd::signed_out, now) ==
        Applied::no)
        return std::nullopt;
    return signed_in;
}

std::vector<core::BrowserSignin> other_signins(
    Dependencies& deps, const core::SignedIn& signed_in, core::Instant now) {
    auto theirs = deps.store.signins.list_of_person(signed_in.person.id, now);
    std::erase_if(theirs, [&](const auto& one) { return one.id == signed_in.signin.id; });
    return theirs;
}

std::string sign_out_url(Dependencies& deps, const core::IdentityProvider& idp) {
    return core::append_query(
        idp.end_session_endpoint,
        {{"client_id", idp.client_id},
         {"post_logout_redirect_uri", deps.policy.issuer + "/oauth/sessions"},
         {"state", deps.random.secret().reveal()}});
}

core::Result<Applied> sign_out_there(
    Dependencies& deps, const core::SigninId& id, const BrowserContext& browser_context,
    core::Instant now) {
    const auto& signed_in = browser_context.signed_in;
    if (!signed_in || !deps.store.signins.is_of(id, signed_in->person.id))
        return not_found("you are not signed in in such a browser");
    return deps.store.signins.end(id, core::SigninEnd::signed_out, now);
}

} // namespace consentgate::usecase
