// The public keys of clients that publish them at an address. law: requirements R38, RS10
#pragma once

#include "consentgate/core/client.h"
#include "consentgate/usecase/world.h"

namespace consentgate::usecase {

// Sees to it that `client` holds the keys by which this assertion can be judged. Asks nobody for a client without a jwks_uri, nor
// while what is stored is fresh and holds the key that the assertion names. It must not be called inside a unit of work.
// in:   client  as stored; gets the keys
// fail: invalid_client when the address may not be asked any more; service_unavailable
core::Checked fetch_keys(World& world, core::Client& client, const std::string& assertion, core::Instant now);

} // namespace consentgate::usecase
