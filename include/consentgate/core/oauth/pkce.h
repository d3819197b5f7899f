// Proof key for code exchange, S256 only. spec: RFC 7636 sections 4.1, 4.2, 4.6
#pragma once

#include <cstddef>
#include <string_view>

namespace consentgate::core {

inline constexpr std::size_t challenge_length = 43; // of a SHA-256 in base64url
bool valid_challenge(std::string_view challenge);   // exactly that many base64url characters
bool valid_verifier(std::string_view verifier);     // 43 to 128 unreserved characters
bool proves(std::string_view verifier, std::string_view challenge); // constant time

} // namespace consentgate::core
