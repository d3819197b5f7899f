#include "consentgate/usecase/signin_proof.h"

#include "consentgate/usecase/signin.h"

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

WayToProof way_to_proof(
    Dependencies& deps, const PermittedFlow& permitted,
    const std::optional<core::SignedIn>& signed_in) {
    const auto& [flow, refused, rights] = permitted;
    const auto demanded =
        core::demanded_proof(*rights.rules, flow.resource, flow.scope, deps.policy);
    if (demanded.is_impossible()) return WayToProof::none;
    const auto providers = offered_providers(deps);
    const bool same = signed_in && signed_in->identity() == rights.identity;
    const auto gives = [&](const core::IdentityProvider& idp) {
        if (demanded.empty()) return true; // an app is content with a sign-in for its flow
        return idp.gives_proof();
    };
    for (const auto& idp : providers)
        if (same && idp.id == signed_in->person.idp && gives(idp)) return WayToProof::sign_in_again;
    return std::any_of(providers.begin(), providers.end(), gives) ? WayToProof::another_way
                                                                  : WayToProof::none;
}

void demand_proof(
    Dependencies& deps, core::SigninQuestion& question, const core::IdentityProvider& idp,
    const core::Flow& flow, const std::optional<core::SignedIn>& signed_in, core::Instant now) {
    if (!idp.gives_proof()) return; // page 2 says so
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
