#include "consentgate/core/bearer.h"

#include "consentgate/core/text.h"

#include <Poco/Crypto/ECKey.h>
#include <Poco/Crypto/RSAKey.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JWT/Signer.h>
#include <Poco/JWT/Token.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace consentgate::core {
namespace {

constexpr std::size_t longest_bearer = 4096;
constexpr std::size_t shortest_hmac_key = 32; // bytes: RFC 7518 section 3.2
constexpr std::size_t es256_signature = 86;   // characters: 64 bytes in base64url
constexpr double year_9999 = 253402300800;

Error bad_bearer(std::string why) {
    return refuse(Fault::invalid_bearer, Say{"the bearer credential is not valid"}, Why{std::move(why)});
}

std::unique_ptr<Poco::JWT::Signer> signer_for(const BearerKey& key) {
    auto signer = std::make_unique<Poco::JWT::Signer>();
    std::istringstream pem(key.material.reveal());
    if (key.algorithm == "HS256") {
        if (key.material.reveal().size() < shortest_hmac_key) throw std::invalid_argument("an HS256 key needs at least 32 bytes");
        signer->setHMACKey(key.material.reveal());
    } else if (key.algorithm == "RS256") {
        signer->setRSAKey(new Poco::Crypto::RSAKey(&pem));
    } else if (key.algorithm == "ES256") {
        signer->setECKey(new Poco::Crypto::ECKey(&pem));
    } else {
        throw std::invalid_argument("the algorithm must be HS256, RS256 or ES256, not " + key.algorithm);
    }
    signer->setAlgorithms({key.algorithm}); // the only one this key may be used with: no algorithm confusion
    return signer;
}

// RFC 7519 section 4.1: numbers of seconds; anything else, a date far outside included, makes the token invalid.
std::optional<double> numeric_date(const Poco::JSON::Object& claims, const std::string& name) {
    const auto value = claims.get(name);
    if (!value.isNumeric() || value.isBoolean()) return std::nullopt;
    const auto seconds = value.convert<double>();
    return seconds >= 0 && seconds < year_9999 ? std::optional(seconds) : std::nullopt;
}

bool names_audience(const Poco::JSON::Object& claims, const std::string& audience) {
    const auto value = claims.get("aud");
    if (value.isString()) return value.extract<std::string>() == audience;
    const auto list = claims.isArray("aud") ? claims.getArray("aud") : Poco::JSON::Array::Ptr();
    return list && std::any_of(list->begin(), list->end(), [&](const auto& entry) {
               return entry.isString() && entry.template extract<std::string>() == audience;
           });
}

std::string text_claim(const Poco::JSON::Object& claims, const std::string& name) {
    const auto value = claims.get(name);
    return value.isString() ? value.extract<std::string>() : std::string();
}

// Three parts of base64url without padding (RFC 7515 section 7.1). Poco would forgive padding and a fourth part.
bool compact_jwt(const std::string& text) {
    const auto parts = split(text, '.');
    return std::count(text.begin(), text.end(), '.') == 2 && parts.size() == 3 && std::all_of(parts.begin(), parts.end(), is_base64url);
}

// An operator who leaves the claim or its value empty has no admins; a claim that is missing reads as empty, too.
bool names_admin(const Poco::JSON::Object& claims, const Policy& policy) {
    return !policy.admin_claim.empty() && !policy.admin_value.empty() && text_claim(claims, policy.admin_claim) == policy.admin_value;
}

// Poco loses memory over an ES256 signature of another length.
bool signature_fits(const std::string& algorithm, const std::string& jwt) {
    return algorithm != "ES256" || jwt.size() - jwt.rfind('.') - 1 == es256_signature;
}

// Empty when the registered claims hold; else why not.
std::string refuse_claims(const Poco::JSON::Object& claims, const std::string& issuer, const std::string& audience, Instant now) {
    const auto seconds = static_cast<double>(epoch(now));
    const auto expires = numeric_date(claims, "exp");
    if (!expires) return "exp is missing or not a number";
    if (*expires <= seconds) return "expired";
    if (claims.has("nbf")) {
        const auto from = numeric_date(claims, "nbf");
        if (!from || *from > seconds) return "not valid yet";
    }
    if (!issuer.empty() && text_claim(claims, "iss") != issuer) return "another issuer";
    if (!audience.empty() && !names_audience(claims, audience)) return "another audience";
    return {};
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
    const bool printable = std::all_of(credential.begin(), credential.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (credential.empty() || !printable || credential.size() > longest_bearer) return bad_bearer("malformed Authorization header");
    return std::optional<Secret>(Secret(std::string(credential)));
}

BearerVerifier::BearerVerifier(std::vector<BearerKey> keys, std::string issuer, std::string audience)
    : verifiers_(std::make_unique<Verifiers>()), issuer_(std::move(issuer)), audience_(std::move(audience)) {
    for (const auto& key : keys) {
        try {
            verifiers_->entries.push_back({key.algorithm, signer_for(key)});
        } catch (const Poco::Exception&) { // its text may quote key material
            throw std::invalid_argument("the " + key.algorithm + " key is not a readable PEM public key");
        }
    }
}

BearerVerifier::~BearerVerifier() = default;
BearerVerifier::BearerVerifier(BearerVerifier&&) noexcept = default;

Result<BearerClaims> BearerVerifier::verify(const Secret& credential, const Policy& policy, Instant now) const {
    BearerClaims found;
    if (credential.reveal().starts_with(virtual_key_prefix)) {
        found.virtual_key_hash = sha256(credential);
        return found;
    }
    if (!compact_jwt(credential.reveal())) return bad_bearer("not a JWT");
    for (const auto& entry : verifiers_->entries) {
        if (!signature_fits(entry.algorithm, credential.reveal())) continue;
        Poco::JWT::Token token;
        try {
            if (!entry.signer->tryVerify(credential.reveal(), token) || token.getAlgorithm() != entry.algorithm) continue;
        } catch (const std::exception&) { // Poco parses the three parts before it looks at the signature
            continue;
        }
        // An extension that must be understood, and is not, makes the token invalid (RFC 7515 section 4.1.11).
        if (token.header().has("crit")) return bad_bearer("it asks for an extension");
        const auto& claims = token.payload();
        if (const auto reason = refuse_claims(claims, issuer_, audience_, now); !reason.empty()) return bad_bearer(reason);
        found.subject = text_claim(claims, "sub");
        if (names_admin(claims, policy)) {
            found.admin = true;
            return found;
        }
        auto id = text_claim(claims, policy.virtual_key_claim);
        if (id.empty()) id = found.subject;
        if (id.empty()) return bad_bearer("the token names no virtual key");
        found.virtual_key_id = VirtualKeyId(id);
        return found;
    }
    return bad_bearer("no configured key verifies it");
}

} // namespace consentgate::core
