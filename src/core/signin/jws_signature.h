// Signs a JWS with a key of ours. Private to this folder.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

namespace consentgate::core::jws {

inline constexpr std::size_t p256_coordinate = 32; // bytes

// By RS256 or ES256, as the key is; empty: it cannot sign. spec: RFC 7518 sections 3.3 and 3.4
std::string signature_by(EVP_PKEY* key, std::string_view text);

} // namespace consentgate::core::jws
