// The public keys of clients that publish them at an address. spec:
// docs/requirements.md R38, RS10
#pragma once

#include "consentgate/core/oauth/client.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// Fetches the keys that are needed to verify this assertion. Fetches nothing for a client without a
// jwks_uri, nor while the stored keys are fresh and include the one that the assertion names. It
// must not be called inside a transaction.
// in:   client  as stored; gets the keys
// fail: invalid_client when the policy no longer allows the address; service_unavailable
core::Checked fetch_keys(
    Dependencies& deps, core::Client& client, const std::string& assertion,
    const std::string& caller, core::Instant now);

} // namespace consentgate::usecase
