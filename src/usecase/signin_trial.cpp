#include "consentgate/usecase/signin_trial.h"

#include "not_found.h"
#include "provider_proof.h"
#include "service_call.h"
#include "signin_state.h"
#include "signin_trial_return.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/rights.h"

namespace consentgate::usecase {
namespace {

// The rules that name the person, whatever they are about.
std::vector<std::string> rules_about(Dependencies& deps, const core::Person& person) {
    std::vector<std::string> named;
    const auto identity = core::identity_of(person);
    const auto rules = rights_now(deps, identity).rules;
    if (!rules) return named;
    for (const auto& rule : rules->rules()) {
        const auto match = rules->matches(rule.who, {identity, &person});
        if (match == core::Match::no) continue;
        named.push_back(
            "rule " + std::to_string(rule.number) + ": " + rule.text() +
            (match == core::Match::unknown ? " (groups unknown)" : ""));
    }
    return named;
}

core::TrialReport report_of(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Callback& answer, core::Instant now) {
    if (!answer.code)
        return core::failed_trial(
            "the provider sent the person back with the error " + answer.error);
    const auto proved = prove_person(deps, idp, state, *answer.code, now);
    if (!proved) {
        const auto& error = proved.error();
        return core::failed_trial(
            error.reason + (error.param.empty() ? "" : " (" + error.param + ")"));
    }
    auto report = core::make_trial_report(proved->token, proved->userinfo, proved->claims, idp);
    report.rules = rules_about(deps, proved->person);
    return report;
}

} // namespace

TrialLink begin_trial(Dependencies& deps, const core::IdpId& idp, core::Instant now) {
    auto secret = deps.random.secret();
    core::SigninTrial trial;
    trial.link = core::sha256(secret);
    trial.idp = idp;
    trial.key_id = deps.keyring.newest();
    trial.expires_at = now + core::signin_trial_lifetime;
    deps.store.trials.put(trial);
    auto url = core::Secret(deps.policy.issuer + "/oauth/signin/try?link=" + secret.reveal());
    return {.secret = std::move(secret), .url = std::move(url)};
}

core::Result<core::Secret> open_trial(
    Dependencies& deps, const core::Secret& link, const BrowserContext& browser_context,
    core::Instant now) {
    const auto hash = core::sha256(link);
    const auto trial = deps.store.trials.find(hash);
    const auto idp = trial ? deps.store.idps.find(trial->idp) : std::nullopt;
    if (!idp || deps.store.trials.open(hash, now) == store::Applied::no)
        return not_found("this link is not good any more");
    core::SigninState state;
    state.browser = browser_context.browser.value_or(core::Digest());
    state.trial = hash;
    return send_to_provider(deps, *idp, {}, std::move(state), now);
}

TrialProgress look_at_trial(Dependencies& deps, const core::Secret& link, core::Instant now) {
    const auto hash = core::sha256(link);
    const auto trial = deps.store.trials.find(hash);
    if (!trial) return {.over = true};
    TrialProgress progress{
        .opened = trial->opened_at.has_value(), .over = trial->expires_at <= now};
    if (trial->report.empty()) return progress;
    const auto text = core::unseal(deps.keyring, trial->key_id, trial->report, trial->report_aad());
    progress.report = text ? core::parse_trial_report(text->reveal()) : std::nullopt;
    progress.over = true;
    deps.store.trials.remove(hash);
    return progress;
}

void end_trial(Dependencies& deps, const core::Secret& link) {
    deps.store.trials.remove(core::sha256(link));
}

core::TrialReport finish_trial(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Callback& answer, core::Instant now) {
    auto report = report_of(deps, idp, state, answer, now);
    core::SigninTrial trial;
    trial.link = *state.trial;
    trial.key_id = deps.keyring.newest();
    trial.report = seal(deps, trial.report_aad(), core::Secret(core::trial_report_text(report)));
    deps.store.trials.report(trial);
    return report;
}

} // namespace consentgate::usecase
