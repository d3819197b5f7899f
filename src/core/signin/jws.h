// Every JWT that a provider signs, be it ID token, logout token or userinfo answer, obeys these
// rules. Private to this folder. spec: RFC 7515, RFC 7519, RFC 8725
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/public_key.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/provider_keys.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core::jws {

inline constexpr std::size_t max_token_bytes = 128 * 1024;
inline constexpr std::int64_t clock_skew = 120; // seconds

// A JWT that can be read; nothing of it is proved.
struct Unproved {
    JsonObject header, claims;
    std::string signed_text, signature;
    const SignatureAlgorithm* algorithm = nullptr; // of its header, one of the provider's
    std::string key_id;                            // kid; empty when it has none
};

// in:   wrong  the wrong member; reason  for the log
Error not_believed(const char* wrong, std::string reason);

// Checks everything but the signature that is not a claim.
// in:   types  those that typ may name, in lower case; it may be missing as well
// fail: access_denied
Result<Unproved> read(
    const std::string& token, const IdentityProvider& provider,
    std::initializer_list<std::string_view> types);

// The keys that may have signed it, at most 8: those of its kid, or without one all that fit.
std::vector<const ProviderKey*> candidates(const Unproved& token, const ProviderKeys& keys);
// The one that has; null: none.
const ProviderKey* signer(const Unproved& token, const ProviderKeys& keys);

// The issuer whose person the token is about, and its key may speak for it.
// fail: access_denied
Result<std::string> check_issuer(
    const JsonObject& claims, const IdentityProvider& provider, const ProviderKey& key);
// We are meant, and nobody else was the one who asked. fail: access_denied
Checked check_audience(const JsonObject& claims, const IdentityProvider& provider);

bool is_subject(std::string_view text); // 1 to 255 visible ASCII characters

// Whole seconds; absent: no number, or a date far outside.
std::optional<std::int64_t> date(const JsonObject& claims, std::string_view name);
// iat, which is there, and nbf, if it is, are not to come. fail: access_denied
Checked check_begun(const JsonObject& claims, Instant now);

} // namespace consentgate::core::jws
