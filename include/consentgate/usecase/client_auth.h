// Who sends this? The first question of the token and revocation endpoints. spec: RFC 6749 section
// 2.3
#pragma once

#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// The sender of a request to the token endpoint or its neighbours: the form, and the Authorization
// header when there is one.
struct ClientRequest {
    const core::Form& form;
    const std::optional<std::string>& authorization;
};

// Nothing is consumed but an assertion, which is good once.
// fail: invalid_client, invalid_request, service_unavailable (the keys of its jwks_uri cannot be
//       had)
core::Result<core::Client> authenticate_client(
    Dependencies& deps, const ClientRequest& client_request, core::Instant now);

} // namespace consentgate::usecase
