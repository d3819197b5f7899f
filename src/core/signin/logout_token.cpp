#include "consentgate/core/signin/logout_token.h"

#include "jws.h"

#include "consentgate/core/base/text.h"

namespace consentgate::core {
namespace {

using jws::not_believed;

constexpr const char* logout_event = "http://schemas.openid.net/event/backchannel-logout";
constexpr std::size_t max_logout_token_bytes = 64 * 1024;
constexpr std::size_t max_word_bytes = 255;
constexpr std::int64_t max_age = 600; // seconds; drafts before the final one had no exp

bool is_word(const std::string& text) {
    return !text.empty() && text.size() <= max_word_bytes && !has_control(text);
}

// An ID token is none, although it is signed alike. spec: Back-Channel Logout 1.0 section 2.4
Checked check_event(const JsonObject& claims) {
    const auto* events = claims.object("events");
    if (events == nullptr || events->object(logout_event) == nullptr)
        return not_believed("events", "events holds no logout");
    if (claims.contains("nonce")) return not_believed("nonce", "it has a nonce, as ID tokens do");
    return Nothing{};
}

Checked check_dates(const JsonObject& claims, Instant now) {
    if (auto begun = jws::check_begun(claims, now); !begun) return begun;
    if (const auto age = epoch(now) - *jws::date(claims, "iat"); age > max_age)
        return not_believed("iat", "it is " + std::to_string(age) + " seconds old");
    if (!claims.contains("exp")) return Nothing{};
    const auto ends = jws::date(claims, "exp");
    if (!ends || epoch(now) - *ends >= jws::clock_skew)
        return not_believed("exp", "exp is over or no date");
    return Nothing{};
}

// Absent is fine, for one of the two.
Checked check_names(const JsonObject& claims) {
    if (claims.contains("sub") && !jws::is_subject(claims.text("sub").value_or("")))
        return not_believed("sub", "sub is not 1 to 255 visible characters");
    if (claims.contains("sid") && !is_word(claims.text("sid").value_or("")))
        return not_believed("sid", "sid is not 1 to 255 bytes of text");
    if (!claims.contains("sub") && !claims.contains("sid"))
        return not_believed("sub", "it names neither a person nor a sign-in");
    if (!is_word(claims.text("jti").value_or("")))
        return not_believed("jti", "jti is missing or not 1 to 255 bytes of text");
    return Nothing{};
}

Result<LogoutToken> read_logout_token(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    Instant now) {
    if (token.size() > max_logout_token_bytes) return not_believed("token", "it is too long");
    const auto read = jws::read(token, provider, {"jwt", "logout+jwt"});
    if (!read) return read.error();
    const auto* key = jws::signer(*read, keys);
    if (key == nullptr) return not_believed("signature", "no key of the provider has signed it");
    const auto& claims = read->claims;
    auto issuer = jws::check_issuer(claims, provider, *key);
    if (!issuer) return std::move(issuer).error();
    auto valid = jws::check_audience(claims, provider)
                     .and_then([&] { return check_event(claims); })
                     .and_then([&] { return check_dates(claims, now); })
                     .and_then([&] { return check_names(claims); });
    if (!valid) return std::move(valid).error();
    const auto issued = *jws::date(claims, "iat");
    auto use = sha256(*issuer + "\n" + claims.text("jti").value_or(""));
    return LogoutToken{
        .issuer = *std::move(issuer),
        .subject = claims.text("sub").value_or(""),
        .sid = claims.text("sid").value_or(""),
        .use = std::move(use),
        .issued_at = from_epoch(issued),
        .forget_after = from_epoch(issued + max_age + 1)};
}

} // namespace

Result<LogoutToken> validate_logout_token(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    Instant now) {
    auto read = read_logout_token(token, provider, keys, now);
    if (read) return read;
    return make_error(
        ErrorCode::invalid_request, PublicMessage{"the logout token is not valid"},
        LogDetail{read.error().reason}, read.error().param);
}

} // namespace consentgate::core
