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

// Adds to the question what rules want of the proof of whoever signs in for the flow. When the
// sign-in of now lacks it, the provider is to ask the person again, whatever it knows.
// in: signed_in  in this browser, where it stands
void demand_proof(
    Dependencies& deps, core::SigninQuestion& question, const core::Flow& flow,
    const std::optional<core::SignedIn>& signed_in, core::Instant now);

} // namespace consentgate::usecase
