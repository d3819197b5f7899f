// An authorization request becomes a flow. spec: OAuth 2.1 section 4.1.1
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// in:   browser  digest of the browser's secret
//       remote_user  the person whom the web server has signed in, whose flow it then is
//       signed_in    a person's standing sign-in of this browser, which spares them another one
// fail: as validate_authorization_request, verified_principal
core::Result<core::Flow> begin_authorize(
    Dependencies& deps, const core::AuthorizationRequest& request, const core::Digest& browser,
    core::Instant now, const std::optional<std::string>& remote_user = std::nullopt,
    const std::optional<core::SignedIn>& signed_in = std::nullopt);

} // namespace consentgate::usecase
