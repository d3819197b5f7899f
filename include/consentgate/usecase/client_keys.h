// The public keys of clients that publish them at an address. spec: requirements R38, RS10
#pragma once

#include "consentgate/core/oauth/client.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// Sees to it that `client` holds the keys by which this assertion can be judged. Asks nobody for a
// client without a jwks_uri, nor while what is stored is fresh and holds the key that the assertion
// names. It must not be called inside a unit of work.
// in:   client  as stored; gets the keys
// fail: invalid_client when the address may not be asked any more; service_unavailable
core::Checked fetch_keys(
    Dependencies& deps, core::Client& client, const std::string& assertion, core::Instant now);

} // namespace consentgate::usecase
