// Public keys from the numbers that JOSE writes, and the signatures that they verify.
// spec: RFC 7518 sections 3 and 6, RFC 8037
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// A way to sign, and the one kind of key that it is for.
struct SignatureAlgorithm {
    std::string_view name;  // "RS256"
    std::string_view kind;  // kty
    std::string_view curve; // crv; empty for RSA
};

// Those that verify with a public key. Null for another name: HS256 and none are no names here.
const SignatureAlgorithm* signature_algorithm(std::string_view name);
std::vector<std::string> signature_algorithms(); // their names, the most usual first

// SubjectPublicKeyInfo in PEM; empty when the numbers are no key.
// in: big-endian bytes
std::string rsa_public_key(std::string modulus, std::string exponent);
// in: curve  P-256, P-384 or P-521; x, y  of the curve's length
std::string ec_public_key(std::string_view curve, const std::string& x, const std::string& y);
std::string ed25519_public_key(const std::string& x);

// Whether the signature is that key's over those bytes. A key of another kind verifies nothing.
// in: signature  raw, as RFC 7518 writes it: r and s one behind the other for elliptic curves
bool verify_signature(
    const SignatureAlgorithm& algorithm, const std::string& pem, std::string_view text,
    std::string_view signature);

// The left half of the algorithm's digest. spec: OpenID Connect Core 3.1.3.6
std::string left_half_of_digest(const SignatureAlgorithm& algorithm, std::string_view text);

} // namespace consentgate::core
