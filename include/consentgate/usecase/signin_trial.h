// Signing in on trial, for an operator who sets up a provider: somebody opens a link, signs in, and
// sees what the provider says of them. It makes no person, no sign-in and no session.
// spec: docs/requirements_signin.md SI9
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/signin_trial.h"
#include "consentgate/core/signin/trial_report.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

struct TrialLink {
    core::Secret secret; // of the link
    core::Secret url;    // the whole link
};
TrialLink begin_trial(Dependencies& deps, const core::IdpId& idp, core::Instant now);

// Uses the link up, and records that this browser was sent to the provider, which may be disabled.
// out:  the address there
// fail: not_found: the link was opened before, has expired, or is none of ours
core::Result<core::Secret> open_trial(
    Dependencies& deps, const core::Secret& link, const BrowserContext& browser_context,
    core::Instant now);

struct TrialProgress {
    bool opened = false; // somebody opened the link
    bool over = false;   // nothing can come any more
    std::optional<core::TrialReport> report{};
};
// For the command that waits. A report that it gets is deleted here.
TrialProgress look_at_trial(Dependencies& deps, const core::Secret& link, core::Instant now);

// Nobody waits for it any more.
void end_trial(Dependencies& deps, const core::Secret& link);

} // namespace consentgate::usecase
