#include "consentgate/core/oauth/bearer.h"

#include "consentgate/core/base/text.h"

#include "jwt.h"

#include <Poco/Exception.h>

#include <algorithm>
#include <stdexcept>

namespace consentgate::core {
namespace {

constexpr std::size_t max_bearer_bytes = 4096;

Error bad_bearer(std::string reason) {
    return make_error(
        ErrorCode::invalid_bearer, PublicMessage{"the bearer credential is not valid"},
        LogDetail{std::move(reason)});
}

// An operator who leaves the claim or its value empty has no admins; a claim that is missing reads
// as empty, too.
bool names_admin(const Poco::JSON::Object& claims, const Policy& policy) {
    return !policy.admin_claim.empty() && !policy.admin_value.empty() &&
           jwt::text_claim(claims, policy.admin_claim) == policy.admin_value;
}

Checked check_claims(
    const Poco::JSON::Object& claims, const std::string& issuer, const std::string& audience,
    Instant now) {
    if (auto valid = jwt::check_dates(claims, now); !valid) return bad_bearer(valid.error().reason);
    if (!issuer.empty() && jwt::text_claim(claims, "iss") != issuer)
        return bad_bearer("another issuer");
    const auto named = jwt::audiences(claims);
    if (!audience.empty() && std::find(named.begin(), named.end(), audience) == named.end())
        return bad_bearer("another audience");
    return Nothing{};
}

} // namespace

struct BearerVerifier::Verifiers {
    struct Entry {
        std::string algorithm;
        std::unique_ptr<Poco::JWT::Signer> signer;
    };
    std::vector<Entry> entries;
};

Result<std::optional<Secret>> bearer_credential(const std::optional<std::string>& header) {
    if (!header) return std::optional<Secret>();
    const auto text = trim(*header);
    const auto space = std::min(text.find(' '), text.size());
    if (!same_ignoring_case(text.substr(0, space), "bearer")) return std::optional<Secret>();
    const auto credential = trim(text.substr(space));
    const bool printable = std::all_of(
        credential.begin(), credential.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (credential.empty() || !printable || credential.size() > max_bearer_bytes)
        return bad_bearer("malformed Authorization header");
    return std::optional<Secret>(Secret(std::string(credential)));
}

BearerVerifier::BearerVerifier(
    std::vector<BearerKey> keys, std::string issuer, std::string audience)
    : verifiers_(std::make_unique<Verifiers>()),
      issuer_(std::move(issuer)),
      audience_(std::move(audience)) {
    for (const auto& key : keys) {
        try {
            verifiers_->entries.push_back(
                {key.algorithm, jwt::signer_for(key.algorithm, key.material)});
        } catch (const Poco::Exception&) { // its text may quote key material
            throw std::invalid_argument(
                "the " + key.algorithm + " key is not a readable PEM public key");
        }
    }
}

BearerVerifier::~BearerVerifier() = default;
BearerVerifier::BearerVerifier(BearerVerifier&&) noexcept = default;

Result<BearerClaims> BearerVerifier::verify(
    const Secret& credential, const Policy& policy, Instant now) const {
    BearerClaims found;
    if (credential.reveal().starts_with(virtual_key_prefix)) {
        found.virtual_key_hash = sha256(credential);
        return found;
    }
    if (!jwt::compact(credential.reveal())) return bad_bearer("not a JWT");
    for (const auto& entry : verifiers_->entries) {
        Poco::JWT::Token token;
        if (!jwt::verified(*entry.signer, entry.algorithm, credential.reveal(), token)) continue;
        const auto& claims = token.payload();
        if (auto valid = check_claims(claims, issuer_, audience_, now); !valid)
            return std::move(valid).error();
        found.subject = jwt::text_claim(claims, "sub");
        if (names_admin(claims, policy)) {
            found.admin = true;
            return found;
        }
        auto id = jwt::text_claim(claims, policy.virtual_key_claim);
        if (id.empty()) id = found.subject;
        if (id.empty()) return bad_bearer("the token names no virtual key");
        found.virtual_key_id = VirtualKeyId(id);
        return found;
    }
    return bad_bearer("no configured key verifies it");
}

} // namespace consentgate::core
