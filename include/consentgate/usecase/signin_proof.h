// Rules and apps can want a newer or another proof of a person than that of their sign-in.
// spec: OpenID Connect Core 3.1.2.1; docs/requirements_signin.md SI31
#pragma once

#include "consentgate/core/access/proof.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/rights.h"

#include <optional>

namespace consentgate::usecase {

// A session may come of the flow as it is now. Where rules want a proof, nobody can do without.
// in:   signed_in  in this browser; absent: nobody is
// fail: identity_required, with `proof` as its param
core::Checked check_proof(
    const PermittedFlow& permitted, const std::optional<core::SignedIn>& signed_in,
    const core::Policy& policy, core::Instant now);

// How a proof that is lacking can be had, so that nobody is sent in a circle.
enum class WayToProof {
    sign_in_again, // where they are signed in
    another_way,   // at another provider, which page 1 offers
    none,          // the rules want what no provider here can give
};
// Finds the way for a flow that check_proof() refuses. in: signed_in  as there
WayToProof way_to_proof(
    Dependencies& deps, const PermittedFlow& permitted,
    const std::optional<core::SignedIn>& signed_in);

// Adds to the question what rules want of the proof of whoever signs in for the flow, unless the
// provider cannot be asked for a proof. When the sign-in of now lacks it, the provider is to ask
// the person again, whatever it knows.
// in: signed_in  in this browser, where it stands
void demand_proof(
    Dependencies& deps, core::SigninQuestion& question, const core::IdentityProvider& idp,
    const core::Flow& flow, const std::optional<core::SignedIn>& signed_in, core::Instant now);

} // namespace consentgate::usecase
