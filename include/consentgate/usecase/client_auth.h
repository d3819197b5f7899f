// Client authentication at the token, revocation and introspection endpoints. spec: RFC 6749
// section 2.3
#pragma once

#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// Consumes nothing but an assertion, which is good once.
// fail: invalid_client, invalid_request, service_unavailable (the keys of its jwks_uri cannot be
//       had)
core::Result<core::Client> authenticate_client(
    Dependencies& deps, const core::SentCredentials& sent, core::Instant now);

} // namespace consentgate::usecase
