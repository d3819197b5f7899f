// Is the bearer of this token let in? For the guarded example and every gate to come. law: RFC 6750
#pragma once

#include "consentgate/core/access.h"
#include "consentgate/usecase/world.h"

namespace consentgate::usecase {

// fail: invalid_bearer
core::Result<core::SessionView> check_access(World& world, const core::Secret& token, const std::string& resource, core::Instant now);

} // namespace consentgate::usecase
