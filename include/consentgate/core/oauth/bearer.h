// The optional Authorization header of consent/submit: a raw virtual key, a JWT that names one, or
// an admin's JWT. A header that is sent and invalid is an error, never ignored.
// spec: docs/http.md Bearer on submit; RFC 6750 section 2.1; RFC 8725
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/oauth/policy.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// The bearer credential of an Authorization header; absent when the header is, or has another
// scheme (a web server's own Basic, say). The scheme's case does not matter. fail: invalid_bearer
// when nothing usable follows "Bearer"
Result<std::optional<Secret>> bearer_credential(const std::optional<std::string>& header);

inline constexpr std::string_view virtual_key_prefix = "sk-bf-";

// A key the operator trusts to sign JWTs. The algorithm belongs to the key, not to the token.
struct BearerKey {
    std::string algorithm; // HS256, RS256 or ES256
    Secret material;       // HS256: at least 32 bytes; else a PEM public key
};

// The caller whom a bearer names.
struct BearerClaims {
    bool admin = false;
    std::string subject;                        // for the audit log; may be empty
    std::optional<VirtualKeyId> virtual_key_id; // never with admin
    std::optional<Digest> virtual_key_hash;     // a raw key; never with a JWT
};

class BearerVerifier {
public:
    // in:    issuer, audience  checked when not empty
    // fail:  throws std::invalid_argument when a key cannot be read or has an unsupported algorithm
    BearerVerifier(std::vector<BearerKey> keys, std::string issuer, std::string audience);
    ~BearerVerifier();
    BearerVerifier(BearerVerifier&&) noexcept;

    // fail: invalid_bearer; the reason is for the log
    Result<BearerClaims> verify(const Secret& credential, const Policy& policy, Instant now) const;

private:
    struct Verifiers;
    std::unique_ptr<Verifiers> verifiers_;
    std::string issuer_, audience_;
};

} // namespace consentgate::core
