// The public keys of an identity provider. It publishes them for many programs, so what we cannot
// use is skipped and reported to nobody but the operator.
// spec: RFC 7517; docs/requirements_signin.md SI43
#pragma once

#include "consentgate/core/base/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct IdentityProvider;

struct ProviderKey {
    std::string id;          // its kid; empty when it has none
    std::string kind, curve; // kty; crv, empty for RSA
    std::string algorithm{}; // the only one it is for; empty: any that fits
    std::string issuer{};    // whose tokens it signs, as Microsoft writes it; empty: not said
    std::string pem{};       // SubjectPublicKeyInfo

    bool fits(std::string_view algorithm_of_token) const;
};

struct ProviderKeys {
    std::vector<ProviderKey> keys; // at most 64
    std::size_t skipped = 0;       // for encryption, of another kind, too short, private, broken
};

// in:   jwks  as it was fetched
// fail: server_error: it is no set of keys, or longer than 256 KiB. A set without a key of use is
//       none: whoever needs a key will not find it there
Result<ProviderKeys> read_provider_keys(std::string_view jwks);

// The token can be read and names a key that is not in the set, or names none and no key of the set
// has signed it: the provider may have changed its keys since. False as well for what newer keys
// would not help.
bool needs_newer_keys(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys);

} // namespace consentgate::core
