// An identity provider of the tests: keys of every kind, and tokens that they sign, false ones too.
// Made with OpenSSL, because Poco's signer has neither PSS nor Edwards curves.
#pragma once

#include "samples.h"

#include "consentgate/core/base/public_key.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/provider_keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace consentgate::tests {

class SigningKey {
public:
    // in: bits  of a number without small factors, for RSA; making one takes long
    static SigningKey rsa(unsigned bits = 2048) {
        return SigningKey("RSA", "", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}));
    }
    static SigningKey ec(const std::string& curve) {
        return SigningKey("EC", curve, EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.c_str()));
    }
    static SigningKey ed25519() {
        return SigningKey("OKP", "Ed25519", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    }

    // Its public part, as a provider publishes it. in: kid  empty: none
    core::JsonObject jwk(const std::string& kid = "") const {
        core::JsonObject key;
        key.set("kty", kind_);
        if (!curve_.empty()) key.set("crv", curve_);
        if (!kid.empty()) key.set("kid", kid);
        if (kind_ == "RSA")
            return key.set("n", number(OSSL_PKEY_PARAM_RSA_N))
                .set("e", number(OSSL_PKEY_PARAM_RSA_E));
        std::string bytes(140, '\0');
        auto length = bytes.size();
        EVP_PKEY_get_octet_string_param(
            key_.get(), OSSL_PKEY_PARAM_PUB_KEY, data(bytes), bytes.size(), &length);
        bytes.resize(length);
        if (kind_ == "OKP") return key.set("x", core::to_base64url(bytes));
        const auto half = (length - 1) / 2; // one byte says that the point is not compressed
        return key.set("x", core::to_base64url(bytes.substr(1, half)))
            .set("y", core::to_base64url(bytes.substr(1 + half)));
    }

    // The bytes of JWS over a text. in: algorithm  one that the kind of key can do, whatever its
    // length is
    std::string signature(const std::string& algorithm, const std::string& text) const {
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(
            EVP_MD_CTX_new(), EVP_MD_CTX_free);
        const auto* digest = algorithm == "EdDSA"         ? nullptr
                             : algorithm.ends_with("256") ? EVP_sha256()
                             : algorithm.ends_with("384") ? EVP_sha384()
                                                          : EVP_sha512();
        EVP_PKEY_CTX* options = nullptr;
        EVP_DigestSignInit(context.get(), &options, digest, nullptr, key_.get());
        if (algorithm.starts_with("PS")) {
            EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
        }
        std::string made(1100, '\0');
        auto length = made.size();
        if (EVP_DigestSign(
                context.get(), data(made), &length,
                reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1)
            throw std::runtime_error("cannot sign");
        made.resize(length);
        return kind_ == "EC" ? raw(made) : made;
    }

    // A JWT whose header is what the case says, true or not.
    std::string sign(
        const core::JsonObject& header, const core::JsonObject& claims,
        const std::string& algorithm) const {
        const auto text = unsigned_token(header, claims);
        return text + "." + core::to_base64url(signature(algorithm, text));
    }
    std::string sign(const core::JsonObject& header, const core::JsonObject& claims) const {
        return sign(header, claims, header.text("alg").value());
    }

    static std::string unsigned_token(
        const core::JsonObject& header, const core::JsonObject& claims) {
        return core::to_base64url(core::json_string(header)) + "." +
               core::to_base64url(core::json_string(claims));
    }

private:
    SigningKey(std::string kind, std::string curve, EVP_PKEY* key)
        : kind_(std::move(kind)), curve_(std::move(curve)), key_(key, EVP_PKEY_free) {
        if (!key_) throw std::runtime_error("cannot make a key");
    }

    static unsigned char* data(std::string& bytes) {
        return reinterpret_cast<unsigned char*>(bytes.data());
    }

    std::string number(const char* name) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
        BN_bn2bin(value, data(bytes));
        BN_free(value);
        return core::to_base64url(bytes);
    }

    // r and s one behind the other, of the curve's length each.
    std::string raw(const std::string& der) const {
        const auto* in = reinterpret_cast<const unsigned char*>(der.data());
        const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(
            d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())), ECDSA_SIG_free);
        const int length = (EVP_PKEY_get_bits(key_.get()) + 7) / 8;
        std::string both(static_cast<std::size_t>(2 * length), '\0');
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), data(both), length);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), data(both) + length, length);
        return both;
    }

    std::string kind_, curve_;
    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

// One a process, because RSA keys take long to make.
inline const SigningKey& provider_rsa() {
    static const auto key = SigningKey::rsa();
    return key;
}
inline const SigningKey& provider_ec() {
    static const auto key = SigningKey::ec("P-256");
    return key;
}

inline std::string key_set(const std::vector<core::JsonObject>& keys) {
    return core::json_string(
        core::JsonObject().set("keys", core::JsonArray(keys.begin(), keys.end())));
}
inline core::ProviderKeys keys_of(const std::vector<core::JsonObject>& keys) {
    return *core::read_provider_keys(key_set(keys));
}

inline core::IdentityProvider sample_signing_provider() {
    core::IdentityProvider provider;
    provider.id = core::IdpId("corp");
    provider.issuer = "https://sso.example.org/realms/staff";
    provider.client_id = "consentgate";
    provider.groups_claim = "groups";
    provider.signing_algorithms = core::signature_algorithms();
    return provider;
}

// That provider says this of Anna, who signed in with the nonce "a nonce".
inline core::JsonObject sample_id_claims() {
    core::JsonObject claims;
    claims.set("iss", "https://sso.example.org/realms/staff").set("sub", "anna-1");
    claims.set("aud", "consentgate").set("nonce", "a nonce");
    claims.set("iat", core::epoch(noon)).set("exp", core::epoch(noon) + 300);
    return claims;
}
inline core::JsonObject token_header(const std::string& algorithm, const std::string& kid = "") {
    core::JsonObject header;
    header.set("alg", algorithm);
    if (!kid.empty()) header.set("kid", kid);
    return header;
}

} // namespace consentgate::tests
