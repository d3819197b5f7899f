// Back from a provider, on trial. Private to this module.
#pragma once

#include "consentgate/core/signin/signin_request.h"
#include "consentgate/core/signin/trial_report.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// in: answer  that was checked; its state is used up
core::TrialReport finish_trial(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Callback& answer, core::Instant now);

} // namespace consentgate::usecase
