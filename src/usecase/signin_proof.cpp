#include "consentgate/usecase/signin_proof.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

core::Error proof_needed(const char* reason) {
    return core::make_error(
        core::ErrorCode::identity_required,
        core::PublicMessage{"for this you have to sign in again"}, core::LogDetail{reason},
        "proof");
}

} // namespace

core::Checked check_proof(
    const PermittedFlow& permitted, const std::optional<core::SignedIn>& signed_in,
    const core::Policy& policy, core::Instant now) {
    const auto& [flow, refused, rights] = permitted;
    const bool person = rights.identity.is_person();
    if (person && signed_in && !core::suffices_flow(*signed_in, flow, now))
        return proof_needed("the app wants a newer proof");
    const auto demanded = core::demanded_proof(*rights.rules, flow.resource, flow.scope, policy);
    if (demanded.empty()) return core::Nothing{};
    if (!person || !signed_in) return proof_needed("a rule wants a proof of a provider");
    if (core::fulfils(signed_in->signin, demanded, now)) return core::Nothing{};
    return proof_needed("a rule wants another proof");
}

void demand_proof(
    Dependencies& deps, core::SigninQuestion& question, const core::Flow& flow,
    const std::optional<core::SignedIn>& signed_in, core::Instant now) {
    const auto rules = deps.store.access.rules(deps.store.access.version());
    const auto demanded = core::demanded_proof(*rules, flow.resource, flow.scope, deps.policy);
    if (demanded.empty()) return;
    question.acr = demanded.acr_values();
    if (signed_in && !core::fulfils(signed_in->signin, demanded, now)) {
        question.prompt = "login";
        question.max_age = core::Span(0);
    } else if (demanded.max_age) {
        question.max_age =
            std::min(question.max_age.value_or(*demanded.max_age), *demanded.max_age);
    }
}

} // namespace consentgate::usecase
