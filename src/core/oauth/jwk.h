// Public keys as clients publish them. Private to this module. spec: RFC 7517, RFC 7518 section 6
#pragma once

#include <string>
#include <vector>

namespace consentgate::core {

struct PublicKey {
    std::string algorithm; // RS256 or ES256
    std::string pem;       // SubjectPublicKeyInfo
    std::string id{};      // its kid; empty when it has none
};

// The keys of a set that can sign for a client. Keys for encryption, and of kinds we do not have,
// are left out.
// out:  problem  when given: why the set cannot be used, or empty
std::vector<PublicKey> read_jwks(const std::string& jwks, std::string* problem = nullptr);

} // namespace consentgate::core
