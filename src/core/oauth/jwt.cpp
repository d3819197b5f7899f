#include "jwt.h"

#include "consentgate/core/base/text.h"

#include <Poco/Crypto/ECKey.h>
#include <Poco/Crypto/RSAKey.h>
#include <Poco/JSON/Array.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace consentgate::core::jwt {
namespace {

constexpr std::size_t min_hmac_key_bytes = 32; // bytes: RFC 7518 section 3.2
constexpr std::size_t es256_signature = 86;    // characters: 64 bytes in base64url
constexpr double year_9999 = 253402300800;

// Poco loses memory over an ES256 signature of another length.
bool signature_fits(const std::string& algorithm, const std::string& text) {
    return algorithm != "ES256" || text.size() - text.rfind('.') - 1 == es256_signature;
}

} // namespace

std::unique_ptr<Poco::JWT::Signer> signer_for(
    const std::string& algorithm, const Secret& material) {
    auto signer = std::make_unique<Poco::JWT::Signer>();
    std::istringstream pem(material.reveal());
    if (algorithm == "HS256") {
        if (material.reveal().size() < min_hmac_key_bytes)
            throw std::invalid_argument("an HS256 key needs at least 32 bytes");
        signer->setHMACKey(material.reveal());
    } else if (algorithm == "RS256") {
        signer->setRSAKey(new Poco::Crypto::RSAKey(&pem));
    } else if (algorithm == "ES256") {
        signer->setECKey(new Poco::Crypto::ECKey(&pem));
    } else {
        throw std::invalid_argument(
            "the algorithm must be HS256, RS256 or ES256, not " + algorithm);
    }
    signer->setAlgorithms({algorithm});
    return signer;
}

bool compact(const std::string& text) {
    const auto parts = split(text, '.');
    return std::count(text.begin(), text.end(), '.') == 2 && parts.size() == 3 &&
           std::all_of(parts.begin(), parts.end(), is_base64url);
}

bool verified(
    const Poco::JWT::Signer& signer, const std::string& algorithm, const std::string& text,
    Poco::JWT::Token& token) {
    if (!signature_fits(algorithm, text)) return false;
    try {
        return signer.tryVerify(text, token) && token.getAlgorithm() == algorithm &&
               !token.header().has("crit");
    } catch (
        const std::exception&) { // Poco parses the three parts before it looks at the signature
        return false;
    }
}

std::optional<double> numeric_date(const Poco::JSON::Object& claims, const std::string& name) {
    const auto value = claims.get(name);
    if (!value.isNumeric() || value.isBoolean()) return std::nullopt;
    const auto seconds = value.convert<double>();
    return seconds >= 0 && seconds < year_9999 ? std::optional(seconds) : std::nullopt;
}

std::vector<std::string> audiences(const Poco::JSON::Object& claims) {
    const auto value = claims.get("aud");
    if (value.isString()) return {value.extract<std::string>()};
    std::vector<std::string> all;
    if (!claims.isArray("aud")) return all;
    for (const auto& entry : *claims.getArray("aud"))
        all.push_back(entry.isString() ? entry.extract<std::string>() : std::string());
    return all;
}

std::string text_claim(const Poco::JSON::Object& claims, const std::string& name) {
    const auto value = claims.get(name);
    if (!value.isString()) return {};
    const auto& text = value.extract<std::string>();
    return valid_utf8(text) && text.find('\0') == std::string::npos ? text : std::string();
}

Checked check_dates(const Poco::JSON::Object& claims, Instant now) {
    const auto fail = [](const char* reason) {
        return make_error(
            ErrorCode::invalid_bearer, PublicMessage{"the token is not valid"}, LogDetail{reason});
    };
    const auto seconds = static_cast<double>(epoch(now));
    const auto expires = numeric_date(claims, "exp");
    if (!expires) return fail("exp is missing or not a number");
    if (*expires <= seconds) return fail("expired");
    if (!claims.has("nbf")) return Nothing{};
    const auto from = numeric_date(claims, "nbf");
    if (!from || *from > seconds) return fail("not valid yet");
    return Nothing{};
}

} // namespace consentgate::core::jwt
