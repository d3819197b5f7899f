#include "consentgate/core/signin/assertion.h"

#include "consentgate/core/base/openssl.h"
#include "consentgate/core/base/text.h"
#include "jws_signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace consentgate::core {
namespace {

constexpr auto coordinate = jws::p256_coordinate;
constexpr std::size_t scalar_bytes = 48; // 128 bits more than the order has: FIPS 186-5 A.2.1
// Keys depend on the label: it stays.
constexpr std::string_view use = "assertion ES256";

void require(bool held) {
    if (!held) throw std::runtime_error("an assertion key cannot be made or used");
}

// spec: RFC 5869, without a salt
Secret derived_bytes(const Secret& server_key) {
    const Owned<EVP_KDF> method(EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
    const Owned<EVP_KDF_CTX> context(EVP_KDF_CTX_new(method.get()), EVP_KDF_CTX_free);
    std::string digest = "SHA256", key = server_key.reveal(), info(use);
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end()};
    std::string out(scalar_bytes, '\0');
    const bool made =
        context && EVP_KDF_derive(context.get(), bytes_of(out), out.size(), parameters.data()) == 1;
    const Secret wiped(std::move(key));
    require(made);
    return Secret(std::move(out));
}

// bytes mod (n - 1) + 1. spec: FIPS 186-5 A.2.1
Owned<BIGNUM> scalar_of(const Secret& bytes, const EC_GROUP* group) {
    const Owned<BN_CTX> work(BN_CTX_secure_new(), BN_CTX_free);
    const Owned<BIGNUM> wide(
        BN_bin2bn(bytes_of(bytes.reveal()), static_cast<int>(bytes.reveal().size()), nullptr),
        BN_clear_free);
    const Owned<BIGNUM> below(BN_dup(EC_GROUP_get0_order(group)), BN_free);
    Owned<BIGNUM> scalar(BN_secure_new(), BN_clear_free);
    require(
        work && wide && below && scalar && BN_sub_word(below.get(), 1) == 1 &&
        BN_mod(scalar.get(), wide.get(), below.get(), work.get()) == 1 &&
        BN_add_word(scalar.get(), 1) == 1);
    return scalar;
}

// The uncompressed public point of a scalar.
std::string point_of(const BIGNUM* scalar, const EC_GROUP* group) {
    const Owned<EC_POINT> point(EC_POINT_new(group), EC_POINT_free);
    std::string bytes(1 + 2 * coordinate, '\0');
    require(
        point && EC_POINT_mul(group, point.get(), scalar, nullptr, nullptr, nullptr) == 1 &&
        EC_POINT_point2oct(
            group, point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes_of(bytes), bytes.size(),
            nullptr) == bytes.size());
    return bytes;
}

Owned<EVP_PKEY> key_of(const BIGNUM* scalar, const std::string& point) {
    const Owned<OSSL_PARAM_BLD> numbers(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
    require(
        numbers &&
        OSSL_PARAM_BLD_push_utf8_string(
            numbers.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(
            numbers.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1 &&
        OSSL_PARAM_BLD_push_BN(numbers.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1);
    const Owned<OSSL_PARAM> built(OSSL_PARAM_BLD_to_param(numbers.get()), OSSL_PARAM_free);
    const Owned<EVP_PKEY_CTX> maker(
        EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* made = nullptr;
    require(
        built && maker && EVP_PKEY_fromdata_init(maker.get()) == 1 &&
        EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_KEYPAIR, built.get()) == 1);
    return {made, EVP_PKEY_free};
}

void describe(JsonObject& claims, const PersonFacts& person) {
    claims.set("name", person.name).set("idp", person.idp.text);
    if (!person.email.empty()) claims.set("email", person.email).set("email_verified", true);
    if (person.groups)
        claims.set("groups", json_array(*person.groups));
    else
        claims.set("groups_omitted", true);
}

} // namespace

JsonObject assertion_claims(const AssertedCall& call, Span lifetime, Instant now) {
    JsonObject claims;
    claims.set("iss", call.issuer).set("aud", call.resource).set("sub", call.subject);
    claims.set("iat", epoch(now)).set("exp", epoch(std::min(now + lifetime, call.token_ends)));
    claims.set("client_id", call.client_id).set("scope", call.scope);
    claims.set("session", call.session).set("identity", call.identity);
    if (call.person) describe(claims, *call.person);
    if (call.person && call.auth_time) claims.set("auth_time", epoch(*call.auth_time));
    return claims;
}

struct AssertionKeys::Key {
    KeyId id;
    Owned<EVP_PKEY> pair;
    std::string point;  // the public part
    std::string header; // of a JWT, encoded
};

AssertionKeys::AssertionKeys(const Keyring& keyring) {
    const Owned<EC_GROUP> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), EC_GROUP_free);
    require(group != nullptr);
    for (const auto& key : keyring.keys()) {
        const auto scalar = scalar_of(derived_bytes(key.bytes), group.get());
        auto point = point_of(scalar.get(), group.get());
        auto pair = key_of(scalar.get(), point);
        const auto header =
            JsonObject().set("alg", "ES256").set("typ", "at+jwt").set("kid", key.id.text);
        keys_.push_back(
            {.id = key.id,
             .pair = std::move(pair),
             .point = std::move(point),
             .header = to_base64url(json_string(header))});
    }
}

AssertionKeys::AssertionKeys(AssertionKeys&&) noexcept = default;
AssertionKeys& AssertionKeys::operator=(AssertionKeys&&) noexcept = default;
AssertionKeys::~AssertionKeys() = default;

std::string AssertionKeys::key_set() const {
    JsonArray keys;
    for (const auto& key : keys_) {
        JsonObject one;
        one.set("kty", "EC").set("crv", "P-256").set("use", "sig").set("alg", "ES256");
        one.set("kid", key.id.text).set("x", to_base64url(key.point.substr(1, coordinate)));
        one.set("y", to_base64url(key.point.substr(1 + coordinate)));
        keys.emplace_back(std::move(one));
    }
    return json_string(JsonObject().set("keys", std::move(keys)));
}

std::string AssertionKeys::sign(const JsonObject& claims) const {
    const auto& key = keys_.back();
    auto text = key.header + "." + to_base64url(json_string(claims));
    const auto signature = jws::signature_by(key.pair.get(), text);
    require(!signature.empty());
    return text + "." + to_base64url(signature);
}

} // namespace consentgate::core
