// The token endpoint. law: OAuth 2.1 section 4.1.3
#pragma once

#include "consentgate/core/form.h"
#include "consentgate/usecase/world.h"

#include <optional>

namespace consentgate::usecase {

struct Granted {
    core::Secret token;
    core::Session session;
};

// Redeems a code: exactly one request can. A replay with everything right ends the session that the code gave.
// fail: invalid_request, invalid_client, invalid_grant, invalid_target, unsupported_grant_type
core::Result<Granted> exchange_code(World& world, const core::Form& form, core::Instant now);

} // namespace consentgate::usecase
