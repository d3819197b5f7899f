#include "jwk.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <algorithm>
#include <bit>
#include <memory>

namespace consentgate::core {
namespace {

constexpr std::size_t min_modulus_bytes = 256; // spec: RFC 7518 section 3.3
constexpr std::size_t max_modulus_bytes = 512;
constexpr std::size_t max_exponent_bytes = 4;
constexpr std::size_t coordinate = 32; // bytes, of P-256

template <class Held> using Owned = std::unique_ptr<Held, void (*)(Held*)>;

// in:  kind  as OpenSSL calls it
// out: SubjectPublicKeyInfo in PEM; empty when the numbers are no key
std::string pem_of(const char* kind, std::vector<OSSL_PARAM> numbers) {
    numbers.push_back(OSSL_PARAM_construct_end());
    const Owned<EVP_PKEY_CTX> maker(
        EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* made = nullptr;
    if (maker && EVP_PKEY_fromdata_init(maker.get()) > 0)
        EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, numbers.data());
    const Owned<EVP_PKEY> key(made, EVP_PKEY_free);
    const Owned<BIO> out(BIO_new(BIO_s_mem()), BIO_free_all);
    BUF_MEM* pem = nullptr;
    if (key && out && PEM_write_bio_PUBKEY(out.get(), key.get()) > 0)
        BIO_get_mem_ptr(out.get(), &pem);
    ERR_clear_error(); // else the next use of OpenSSL would report ours
    return pem == nullptr ? std::string() : std::string(pem->data, pem->length);
}

// in: bytes  big-endian, as JOSE writes them; OpenSSL wants them as the machine has them
OSSL_PARAM number(const char* name, std::string& bytes) {
    if constexpr (std::endian::native == std::endian::little)
        std::reverse(bytes.begin(), bytes.end());
    return OSSL_PARAM_construct_BN(
        name, reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
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
    auto modulus = bytes_of(key, "n");
    auto exponent = bytes_of(key, "e");
    if (modulus.size() < min_modulus_bytes || modulus.size() > max_modulus_bytes ||
        modulus[0] == 0 || exponent.empty() || exponent.size() > max_exponent_bytes) {
        return unusable("an RSA key needs n of 2048 to 4096 bits and e, in base64url");
    }
    return FoundKeys{PublicKey{
        .algorithm = "RS256",
        .pem = pem_of(
            "RSA",
            {number(OSSL_PKEY_PARAM_RSA_N, modulus), number(OSSL_PKEY_PARAM_RSA_E, exponent)})}};
}

Result<FoundKeys> ec_key(const JsonObject& key) {
    const auto x = bytes_of(key, "x");
    const auto y = bytes_of(key, "y");
    if (key.text("crv") != "P-256") return FoundKeys();
    if (x.size() != coordinate || y.size() != coordinate)
        return unusable("a P-256 key needs x and y of 32 bytes, in base64url");
    std::string curve = SN_X9_62_prime256v1, point = '\x04' + x + y; // uncompressed
    return FoundKeys{PublicKey{
        .algorithm = "ES256",
        .pem = pem_of(
            "EC", {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
                   OSSL_PARAM_construct_octet_string(
                       OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size())})}};
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
