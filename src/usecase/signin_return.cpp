// Back from an identity provider.
#include "consentgate/usecase/signin.h"

#include "provider_proof.h"
#include "service_call.h"
#include "signin_trial_return.h"

#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/signin/membership.h"
#include "consentgate/usecase/person_recheck.h"
#include "consentgate/usecase/rights.h"

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using core::SigninOutcome;
using store::Applied;

// The sign-in under way, and the provider that answers.
struct Begun {
    core::Callback answer;
    core::SigninState state;
    core::IdentityProvider idp;
};

core::Result<Begun> find_begun(
    Dependencies& deps, const core::CallbackParameters& sent, const core::IdpId& at,
    const BrowserContext& browser_context, core::Instant now) {
    auto answer = core::read_signin_answer(sent);
    if (!answer) return answer.error();
    auto state = deps.store.signins.find_state(core::sha256(answer->state));
    if (!state) return core::invalid_signin("unknown or used");
    if (auto valid = core::check_signin_answer(*state, at, browser_context.browser, now); !valid)
        return valid.error();
    auto idp = deps.store.idps.find(state->idp);
    if (auto valid = core::check_signin_provider(*answer, *state, idp); !valid)
        return valid.error();
    return Begun{std::move(*answer), std::move(*state), std::move(*idp)};
}

// A refused person's sessions follow what the provider says now, too.
core::Checked check_let_in(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Person& person,
    core::Instant now) {
    const auto identity = core::identity_of(person);
    if (auto admitted = core::check_admitted(identity, deps.policy); !admitted) return admitted;
    const auto known = deps.store.people.find(person.id);
    if (known && known->disabled_at)
        return core::make_error(
            ErrorCode::forbidden, core::PublicMessage{"this server does not let you in"},
            core::LogDetail{"the person is disabled"});
    if (auto member = core::check_membership(idp, person); !member) {
        count_refusal(deps, member.error(), "signin");
        if (known && person.groups_known) end_refused_person(deps, *known, now);
        return member;
    }
    const auto rules = rights_now(deps, identity).rules;
    if (!rules) return core::Nothing{};
    auto allowed = core::check_sign_in(*rules, {identity, &person});
    if (!allowed) count_refusal(deps, allowed.error(), "signin");
    if (!allowed && known) deps.store.people.renew(person);
    return allowed;
}

core::BrowserSignin new_signin(
    Dependencies& deps, const ProvedPerson& proved, const core::Secret& cookie, core::Instant now) {
    core::BrowserSignin signin;
    signin.id = core::SigninId(deps.random.id(16));
    signin.cookie = core::sha256(cookie);
    signin.person = proved.person.id;
    signin.idp = proved.person.idp;
    signin.provider_session = proved.token.sid;
    signin.auth_time = proved.token.authenticated_at;
    signin.acr = proved.token.acr;
    signin.signed_in_at = now;
    signin.expires_at = now + deps.policy.signin_lifetime;
    return signin;
}

// Absent: it was finished, denied or has expired meanwhile, or its app is gone.
std::optional<core::Flow> find_living_flow(
    Dependencies& deps, const core::SigninState& state, core::Instant now) {
    if (!state.flow) return std::nullopt;
    auto view = deps.store.flows.find(*state.flow);
    if (!view || !view->client_active || !core::check_flow(view->flow, state.browser, false, now))
        return std::nullopt;
    return std::move(view->flow);
}

core::Result<SigninReturn> write_signin(
    Dependencies& deps, const Begun& begun, ProvedPerson proved,
    const std::optional<core::Digest>& before, SigninReturn returned, core::Instant now) {
    auto cookie = deps.random.secret();
    store::FinishedSignin finished{
        .person = proved.person,
        .signin = new_signin(deps, proved, cookie, now),
        .replaced = before};
    for (int attempt = 0; attempt < max_flow_attempts; ++attempt) {
        finished.flow = find_living_flow(deps, begun.state, now);
        if (deps.store.signins.finish(finished, now) == Applied::no) continue;
        if (deps.store.logouts.came_meanwhile(finished.signin, proved.token.issued_at)) {
            deps.store.signins.end(finished.signin.id, core::SigninEnd::logged_out, now);
            returned.outcome = SigninOutcome::failed;
            returned.reason = "the provider has ended it meanwhile";
            return returned;
        }
        keep_provider_grant(deps, begun.idp, proved.person.id, proved.refresh_token);
        returned.outcome =
            begun.state.flow && !finished.flow ? SigninOutcome::late : SigninOutcome::signed_in;
        returned.flow = std::move(finished.flow);
        returned.cookie = std::move(cookie);
        return returned;
    }
    return flow_kept_changing();
}

SigninReturn not_proved(SigninReturn returned, const core::Error& error) {
    const bool away = error.code == ErrorCode::service_unavailable;
    returned.outcome = away ? SigninOutcome::unavailable : SigninOutcome::failed;
    returned.reason = error.reason + (error.param.empty() ? "" : " (" + error.param + ")");
    returned.retry_after = error.retry_after_seconds();
    return returned;
}

} // namespace

core::Result<SigninReturn> finish_signin(
    Dependencies& deps, const core::CallbackParameters& sent, const core::IdpId& at,
    const BrowserContext& browser_context, const std::optional<core::Digest>& before,
    core::Instant now) {
    const auto begun = find_begun(deps, sent, at, browser_context, now);
    if (!begun) return begun.error();
    // Before anything is used up: when there is a place, the browser comes again with the same
    // answer.
    const auto place = begun->answer.code
                           ? deps.enter(sys::PlaceKind::signin, begun->idp.token_endpoint)
                           : sys::Place::unlimited();
    if (!place) return no_place();
    // One of several answers with the same state goes on.
    if (deps.store.signins.consume_state(begun->state.state, now) == Applied::no)
        return core::invalid_signin("used meanwhile");
    SigninReturn returned{
        .idp = begun->idp.id,
        .title = begun->idp.title,
        .flow = find_living_flow(deps, begun->state, now)};
    if (begun->state.trial) {
        returned.outcome = SigninOutcome::tried;
        returned.trial = finish_trial(deps, begun->idp, begun->state, begun->answer, now);
        returned.reason = returned.trial->problem;
        return returned;
    }
    if (!begun->answer.code) {
        const bool denied = begun->answer.error == "access_denied";
        returned.outcome = denied ? SigninOutcome::denied : SigninOutcome::failed;
        returned.reason = "the provider answered " + begun->answer.error;
        return returned;
    }
    auto proved = prove_person(deps, begun->idp, begun->state, *begun->answer.code, now);
    if (!proved) return not_proved(std::move(returned), proved.error());
    returned.person = proved->person;
    if (auto let_in = check_let_in(deps, begun->idp, proved->person, now); !let_in) {
        returned.outcome = SigninOutcome::refused;
        returned.reason = let_in.error().reason;
        return returned;
    }
    return write_signin(deps, *begun, std::move(*proved), before, std::move(returned), now);
}

} // namespace consentgate::usecase
