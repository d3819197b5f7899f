// The ID token: what a provider says of one sign-in, and all that must hold before it is believed.
// spec: OpenID Connect Core 2, 3.1.3.7; docs/requirements_signin.md SI36-SI44
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/signin/provider_keys.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

struct IdentityProvider;

// The row of the sign-in says what its ID token must hold.
struct ExpectedIdToken {
    Digest nonce_hash{};                   // of the nonce that was sent
    Secret access_token{};                 // that came beside it, for at_hash
    std::optional<std::int64_t> max_age{}; // seconds, when it was sent
    std::vector<std::string> acr{};        // one of them, when it was asked for
    bool of_refresh = false;               // no browser was sent, so there is no nonce of ours
};

struct ProvedClaims {
    std::string issuer;  // of the person; a tenant's own where the provider has many
    std::string subject; // 1 to 255 visible ASCII characters
    Instant issued_at{};
    std::optional<Instant> authenticated_at{}; // auth_time
    std::string acr{}, sid{};                  // empty: not said
    std::int64_t clock_ahead = 0; // seconds by which iat is ahead of our clock; below 0: behind
    JsonObject claims{};          // all, as they came
};

// fail: access_denied: it is not believed. The reason is for the log and holds nothing of the
//       token; `param` names the claim or the member of its header
Result<ProvedClaims> validate_id_token(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    const ExpectedIdToken& expected, Instant now);

} // namespace consentgate::core
