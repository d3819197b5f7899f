// A browser on its way to a provider. Private to this module.
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// Records that a browser is sent to the provider. out: the address there
// in: state  with the browser, and with what it is for
core::Secret send_to_provider(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninQuestion& question,
    core::SigninState state, core::Instant now);

} // namespace consentgate::usecase
