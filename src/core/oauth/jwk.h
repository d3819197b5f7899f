// Public keys as clients publish them. Private to this module. spec: RFC 7517, RFC 7518 section 6
#pragma once

#include "consentgate/core/base/error.h"

#include <string>
#include <vector>

namespace consentgate::core {

struct PublicKey {
    std::string algorithm; // RS256 or ES256
    std::string pem;       // SubjectPublicKeyInfo; empty for numbers that are no key
    std::string id{};      // its kid; empty when it has none
};

// The keys of a set that can sign for a client. Keys for encryption, and of kinds that we do not
// have, are left out.
// fail: invalid_client_metadata: the set, or one of its keys, cannot be used
Result<std::vector<PublicKey>> read_jwks(const std::string& jwks);

} // namespace consentgate::core
