// Validates an access token for a resource. spec: RFC 6750
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// fail: invalid_bearer
core::Result<core::SessionView> authorize_access(
    Dependencies& deps, const core::Secret& token, const std::string& resource, core::Instant now);

} // namespace consentgate::usecase
