#include "jwk.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/public_key.h"
#include "consentgate/core/base/text.h"

namespace consentgate::core {
namespace {

constexpr std::size_t min_modulus_bytes = 256; // spec: RFC 7518 section 3.3
constexpr std::size_t max_modulus_bytes = 512;
constexpr std::size_t max_exponent_bytes = 4;
constexpr std::size_t coordinate = 32; // bytes, of P-256

std::string bytes_of(const JsonObject& key, const std::string& name) {
    return from_base64(key.text(name).value_or(""), Base64::url).value_or("");
}

Error unusable(const char* message) {
    return make_error(
        ErrorCode::invalid_client_metadata, PublicMessage{message}, LogDetail{"jwks"}, "jwks");
}

using FoundKeys = std::vector<PublicKey>; // one; none: of a kind that we do not have

Result<FoundKeys> rsa_key(const JsonObject& key) {
    auto modulus = bytes_of(key, "n");
    auto exponent = bytes_of(key, "e");
    if (modulus.size() < min_modulus_bytes || modulus.size() > max_modulus_bytes ||
        modulus[0] == 0 || exponent.empty() || exponent.size() > max_exponent_bytes) {
        return unusable("an RSA key needs n of 2048 to 4096 bits and e, in base64url");
    }
    return FoundKeys{PublicKey{
        .algorithm = "RS256", .pem = rsa_public_key(std::move(modulus), std::move(exponent))}};
}

Result<FoundKeys> ec_key(const JsonObject& key) {
    const auto x = bytes_of(key, "x");
    const auto y = bytes_of(key, "y");
    if (key.text("crv") != "P-256") return FoundKeys();
    if (x.size() != coordinate || y.size() != coordinate)
        return unusable("a P-256 key needs x and y of 32 bytes, in base64url");
    return FoundKeys{PublicKey{.algorithm = "ES256", .pem = ec_public_key("P-256", x, y)}};
}

Result<FoundKeys> read_key(const JsonObject& key) {
    for (const auto* secret : {"d", "k"}) {
        if (key.contains(secret))
            return unusable("jwks holds a private key: publish the public part only");
    }
    if (key.text("use").value_or("sig") != "sig") return FoundKeys();
    const auto kind = key.text("kty");
    auto read = kind == "RSA"  ? rsa_key(key)
                : kind == "EC" ? ec_key(key)
                               : Result<FoundKeys>(FoundKeys());
    if (read)
        for (auto& found : *read) found.id = key.text("kid").value_or("");
    return read;
}

} // namespace

Result<std::vector<PublicKey>> read_jwks(const std::string& jwks) {
    std::vector<PublicKey> keys;
    const auto set = parse_json_object(jwks);
    const auto* listed = set ? set->array("keys") : nullptr;
    if (listed == nullptr) return unusable("jwks must be an object with an array of keys");
    for (const auto& entry : *listed) {
        if (entry.object() == nullptr) return unusable("a key must be an object");
        auto found = read_key(*entry.object());
        if (!found) return std::move(found).error();
        keys.insert(keys.end(), found->begin(), found->end());
    }
    return keys;
}

} // namespace consentgate::core
