#include "consentgate/core/base/public_key.h"

#include "consentgate/core/base/openssl.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <bit>

namespace consentgate::core {
namespace {

constexpr std::array<SignatureAlgorithm, 10> algorithms{{
    {"RS256", "RSA", ""},
    {"ES256", "EC", "P-256"},
    {"PS256", "RSA", ""},
    {"EdDSA", "OKP", "Ed25519"},
    {"RS384", "RSA", ""},
    {"RS512", "RSA", ""},
    {"ES384", "EC", "P-384"},
    {"ES512", "EC", "P-521"},
    {"PS384", "RSA", ""},
    {"PS512", "RSA", ""},
}};

struct Curve {
    std::string_view name;
    const char* group;      // as OpenSSL calls it
    std::size_t coordinate; // bytes
};

constexpr std::array<Curve, 3> curves{
    {{"P-256", SN_X9_62_prime256v1, 32}, {"P-384", SN_secp384r1, 48}, {"P-521", SN_secp521r1, 66}}};

const Curve* curve_of(std::string_view name) {
    const auto* found = std::find_if(
        curves.begin(), curves.end(), [&](const Curve& one) { return one.name == name; });
    return found == curves.end() ? nullptr : found;
}

// EdDSA digests by itself, with SHA-512 for Ed25519.
const EVP_MD* digest_of(const SignatureAlgorithm& algorithm) {
    if (algorithm.name.ends_with("256")) return EVP_sha256();
    return algorithm.name.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

std::string written(EVP_PKEY* key) {
    const Owned<BIO> out(BIO_new(BIO_s_mem()), BIO_free_all);
    BUF_MEM* pem = nullptr;
    if (key != nullptr && out && PEM_write_bio_PUBKEY(out.get(), key) > 0)
        BIO_get_mem_ptr(out.get(), &pem);
    ERR_clear_error(); // else the next use of OpenSSL would report ours
    return pem == nullptr ? std::string() : std::string(pem->data, pem->length);
}

// in:  kind  as OpenSSL calls it
std::string pem_of(const char* kind, std::vector<OSSL_PARAM> numbers) {
    numbers.push_back(OSSL_PARAM_construct_end());
    const Owned<EVP_PKEY_CTX> maker(
        EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* made = nullptr;
    if (maker && EVP_PKEY_fromdata_init(maker.get()) > 0)
        EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, numbers.data());
    const Owned<EVP_PKEY> key(made, EVP_PKEY_free);
    return written(key.get());
}

// in: bytes  big-endian, as JOSE writes them; OpenSSL wants them as the machine has them
OSSL_PARAM number(const char* name, std::string& bytes) {
    if constexpr (std::endian::native == std::endian::little)
        std::reverse(bytes.begin(), bytes.end());
    return OSSL_PARAM_construct_BN(name, bytes_of(bytes), bytes.size());
}

// A signature of r and s, as OpenSSL reads it; empty when it has another length.
std::string der_signature(std::string_view signature, std::size_t coordinate) {
    if (signature.size() != 2 * coordinate) return {};
    const auto length = static_cast<int>(coordinate);
    const Owned<ECDSA_SIG> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
    auto* r = BN_bin2bn(bytes_of(signature), length, nullptr);
    auto* s = BN_bin2bn(bytes_of(signature) + coordinate, length, nullptr);
    if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    std::string der(
        static_cast<std::size_t>(std::max(0, i2d_ECDSA_SIG(pair.get(), nullptr))), '\0');
    auto* out = bytes_of(der);
    i2d_ECDSA_SIG(pair.get(), &out);
    return der;
}

// The key is of the algorithm's kind, whatever its PEM was said to be.
bool is_of_kind(EVP_PKEY* key, const SignatureAlgorithm& algorithm) {
    if (algorithm.kind == "RSA") return EVP_PKEY_is_a(key, "RSA") == 1;
    if (algorithm.kind == "OKP") return EVP_PKEY_is_a(key, "ED25519") == 1;
    const auto* curve = curve_of(algorithm.curve);
    std::array<char, 80> group{};
    return EVP_PKEY_is_a(key, "EC") == 1 && curve != nullptr &&
           EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
           std::string_view(group.data()) == curve->group;
}

bool verifies(
    EVP_PKEY* key, const SignatureAlgorithm& algorithm, std::string_view text,
    std::string_view signature) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr; // belongs to the context
    const auto* digest = algorithm.kind == "OKP" ? nullptr : digest_of(algorithm);
    if (!context || EVP_DigestVerifyInit(context.get(), &options, digest, nullptr, key) != 1)
        return false;
    if (algorithm.name.starts_with("PS") &&
        (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestVerify(
               context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) ==
           1;
}

} // namespace

const SignatureAlgorithm* signature_algorithm(std::string_view name) {
    const auto* found = std::find_if(
        algorithms.begin(), algorithms.end(), [&](const auto& one) { return one.name == name; });
    return found == algorithms.end() ? nullptr : found;
}

std::vector<std::string> signature_algorithms() {
    std::vector<std::string> names;
    for (const auto& one : algorithms) names.emplace_back(one.name);
    return names;
}

std::string rsa_public_key(std::string modulus, std::string exponent) {
    return pem_of(
        "RSA", {number(OSSL_PKEY_PARAM_RSA_N, modulus), number(OSSL_PKEY_PARAM_RSA_E, exponent)});
}

std::string ec_public_key(std::string_view curve, const std::string& x, const std::string& y) {
    const auto* known = curve_of(curve);
    if (known == nullptr || x.size() != known->coordinate || y.size() != known->coordinate)
        return {};
    std::string group = known->group, point = '\x04' + x + y; // uncompressed
    return pem_of(
        "EC",
        {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
         OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size())});
}

std::string ed25519_public_key(const std::string& x) {
    const Owned<EVP_PKEY> key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()),
        EVP_PKEY_free);
    return written(key.get());
}

bool verify_signature(
    const SignatureAlgorithm& algorithm, const std::string& pem, std::string_view text,
    std::string_view signature) {
    const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
    const Owned<EVP_PKEY> key(
        in ? PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr) : nullptr, EVP_PKEY_free);
    bool held = false;
    if (key && is_of_kind(key.get(), algorithm)) {
        const auto* curve = curve_of(algorithm.curve);
        held = verifies(
            key.get(), algorithm, text,
            curve == nullptr ? std::string(signature)
                             : der_signature(signature, curve->coordinate));
    }
    ERR_clear_error(); // of a signature that is none
    return held;
}

std::string left_half_of_digest(const SignatureAlgorithm& algorithm, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), out.data(), &length, digest_of(algorithm), nullptr);
    return {reinterpret_cast<const char*>(out.data()), length / 2};
}

} // namespace consentgate::core
