#include "jwk.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <Poco/Base64Encoder.h>

#include <sstream>

namespace consentgate::core {
namespace {

constexpr std::size_t min_modulus_bytes = 256; // spec: RFC 7518 section 3.3
constexpr std::size_t max_modulus_bytes = 512;
constexpr std::size_t max_exponent_bytes = 4;
constexpr std::size_t coordinate = 32; // bytes, of P-256

// DER, as far as a public key needs it. OpenSSL makes keys of numbers too, in as much code.
// spec: X.690 section 8.1
std::string tagged(char tag, const std::string& content) {
    std::string length;
    if (content.size() < 0x80) {
        length = static_cast<char>(content.size());
    } else {
        for (auto rest = content.size(); rest > 0; rest >>= 8)
            length.insert(length.begin(), static_cast<char>(rest & 0xFF));
        length.insert(length.begin(), static_cast<char>(0x80 | length.size()));
    }
    return tag + length + content;
}

std::string integer(std::string bytes) {
    bytes.erase(0, std::min(bytes.find_first_not_of('\0'), bytes.size() - 1));
    if (static_cast<unsigned char>(bytes[0]) & 0x80) bytes.insert(bytes.begin(), '\0');
    return tagged(0x02, bytes);
}

constexpr char sequence = 0x30, bit_string = 0x03, object_identifier = 0x06;
const std::string rsa_encryption("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
const std::string ec_public_key("\x2a\x86\x48\xce\x3d\x02\x01", 7);
const std::string prime256v1("\x2a\x86\x48\xce\x3d\x03\x01\x07", 8);

// SubjectPublicKeyInfo in PEM. spec: RFC 5280 section 4.1.2.7, RFC 7468 section 13
std::string pem_of(const std::string& algorithm, const std::string& key) {
    const auto info = tagged(
        sequence, tagged(sequence, algorithm) + tagged(bit_string, std::string(1, '\0') + key));
    std::ostringstream out;
    out << "-----BEGIN PUBLIC KEY-----\n";
    Poco::Base64Encoder encoder(out);
    encoder.rdbuf()->setLineLength(64);
    encoder << info;
    encoder.close();
    out << "\n-----END PUBLIC KEY-----\n";
    return out.str();
}

std::string bytes_of(const JsonObject& key, const std::string& name) {
    return from_base64(key.text(name).value_or(""), Base64::url).value_or("");
}

Error unusable(const char* message) {
    return make_error(
        ErrorCode::invalid_client_metadata, PublicMessage{message}, LogDetail{"jwks"}, "jwks");
}

using FoundKeys = std::vector<PublicKey>; // one; none: of a kind that we do not have

Result<FoundKeys> rsa_key(const JsonObject& key) {
    const auto modulus = bytes_of(key, "n");
    const auto exponent = bytes_of(key, "e");
    if (modulus.size() < min_modulus_bytes || modulus.size() > max_modulus_bytes ||
        modulus[0] == 0 || exponent.empty() || exponent.size() > max_exponent_bytes) {
        return unusable("an RSA key needs n of 2048 to 4096 bits and e, in base64url");
    }
    return FoundKeys{PublicKey{
        .algorithm = "RS256",
        .pem = pem_of(
            tagged(object_identifier, rsa_encryption) + tagged(0x05, ""),
            tagged(sequence, integer(modulus) + integer(exponent)))}};
}

Result<FoundKeys> ec_key(const JsonObject& key) {
    const auto x = bytes_of(key, "x");
    const auto y = bytes_of(key, "y");
    if (key.text("crv") != "P-256") return FoundKeys();
    if (x.size() != coordinate || y.size() != coordinate)
        return unusable("a P-256 key needs x and y of 32 bytes, in base64url");
    return FoundKeys{PublicKey{
        .algorithm = "ES256",
        .pem = pem_of(
            tagged(object_identifier, ec_public_key) + tagged(object_identifier, prime256v1),
            '\x04' + x + y)}};
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
