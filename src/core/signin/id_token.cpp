#include "consentgate/core/signin/id_token.h"

#include "jws.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

using jws::not_believed;

constexpr std::size_t max_word_bytes = 255;

// The sign-in of this browser, and no other of the same person. spec: docs/requirements_signin.md
// SI41
Checked check_binding(const jws::Unproved& token, const ExpectedIdToken& expected) {
    const auto nonce = token.claims.text("nonce");
    if (!expected.of_refresh && !nonce) return not_believed("nonce", "nonce is missing");
    if (!expected.of_refresh && sha256(*nonce) != expected.nonce_hash)
        return not_believed("nonce", "nonce is another one");
    if (!token.claims.contains("at_hash")) return Nothing{};
    const auto half =
        to_base64url(left_half_of_digest(*token.algorithm, expected.access_token.reveal()));
    if (!same_bytes(token.claims.text("at_hash").value_or(""), half))
        return not_believed("at_hash", "at_hash is of another access token");
    return Nothing{};
}

Checked check_dates(const JsonObject& claims, Instant now) {
    const auto ends = jws::date(claims, "exp");
    if (!ends) return not_believed("exp", "exp is missing or no date");
    if (const auto over = epoch(now) - *ends; over >= jws::clock_skew)
        return not_believed("exp", "exp is " + std::to_string(over) + " seconds behind our clock");
    return jws::check_begun(claims, now);
}

// The sign-in was as fresh and as strong as we asked. spec: docs/requirements_signin.md SI44
Checked check_asked(const JsonObject& claims, const ExpectedIdToken& expected, Instant now) {
    if (expected.max_age) {
        const auto at = jws::date(claims, "auth_time");
        if (!at) return not_believed("auth_time", "auth_time is missing or no date");
        const auto age = epoch(now) - *at;
        if (age > *expected.max_age + jws::clock_skew)
            return not_believed(
                "auth_time", "the sign-in is " + std::to_string(age) + " seconds old");
        if (-age > jws::clock_skew)
            return not_believed("auth_time", "auth_time is ahead of our clock");
    }
    const auto acr = claims.text("acr").value_or("");
    if (!expected.acr.empty() &&
        std::find(expected.acr.begin(), expected.acr.end(), acr) == expected.acr.end())
        return not_believed("acr", "acr is not what was asked for");
    return Nothing{};
}

// At Google, the claim hd alone says to which company an account belongs: anybody can make one with
// a company's address. spec: docs/requirements_signin.md SI5, SI16
Checked check_company(const JsonObject& claims, const IdentityProvider& provider) {
    if (provider.kind != ProviderKind::google || provider.any_account) return Nothing{};
    const auto company = claims.text("hd").value_or("");
    const auto ours = [&](const std::string& domain) {
        return !domain.empty() && same_ignoring_case(domain, company);
    };
    if (!std::any_of(provider.domains.begin(), provider.domains.end(), ours))
        return not_believed("hd", "the account belongs to none of the companies");
    return Nothing{};
}

Checked check_claims(
    const jws::Unproved& token, const IdentityProvider& provider, const ExpectedIdToken& expected,
    Instant now) {
    return jws::check_audience(token.claims, provider)
        .and_then([&] { return check_dates(token.claims, now); })
        .and_then([&] { return check_binding(token, expected); })
        .and_then([&] { return check_asked(token.claims, expected, now); })
        .and_then([&]() -> Checked {
            if (!jws::is_subject(token.claims.text("sub").value_or("")))
                return not_believed("sub", "sub is missing or not 1 to 255 visible characters");
            if (token.claims.text("sid").value_or("").size() > max_word_bytes)
                return not_believed("sid", "sid is longer than 255 bytes");
            return Nothing{};
        })
        .and_then([&] { return check_company(token.claims, provider); });
}

} // namespace

Result<ProvedClaims> validate_id_token(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    const ExpectedIdToken& expected, Instant now) {
    auto read = jws::read(token, provider, {"jwt"});
    if (!read) return std::move(read).error();
    const auto* key = jws::signer(*read, keys);
    if (key == nullptr) return not_believed("signature", "no key of the provider has signed it");
    auto issuer = jws::check_issuer(read->claims, provider, *key);
    if (!issuer) return std::move(issuer).error();
    if (auto valid = check_claims(*read, provider, expected, now); !valid)
        return std::move(valid).error();
    const auto& claims = read->claims;
    const auto issued = *jws::date(claims, "iat");
    const auto authenticated = jws::date(claims, "auth_time");
    ProvedClaims proved{
        .issuer = *std::move(issuer),
        .subject = *claims.text("sub"),
        .issued_at = from_epoch(issued),
        .authenticated_at =
            authenticated ? std::optional(from_epoch(*authenticated)) : std::nullopt,
        .acr = claims.text("acr").value_or("").substr(0, max_word_bytes),
        .sid = claims.text("sid").value_or(""),
        .clock_ahead = issued - epoch(now)};
    proved.claims = std::move(read->claims);
    return proved;
}

} // namespace consentgate::core
