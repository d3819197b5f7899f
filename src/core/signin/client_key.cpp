#include "consentgate/core/signin/client_key.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/openssl.h"
#include "consentgate/core/base/text.h"
#include "jws_signature.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <array>

namespace consentgate::core {
namespace {

constexpr int least_rsa_bits = 2048;
constexpr Span lifetime{60};

Error unusable(const std::string& message) {
    return make_error(ErrorCode::server_error, PublicMessage{message}, LogDetail{message});
}

// A key that is locked with a password is refused, and nobody is asked for one.
int no_password(char*, int, int, void*) { return -1; }

Owned<EVP_PKEY> key_of(const Secret& pem) {
    const auto& text = pem.reveal();
    const Owned<BIO> in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all);
    auto* key = in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr) : nullptr;
    ERR_clear_error(); // else the next use of OpenSSL would report ours
    return {key, EVP_PKEY_free};
}

// Empty for a key that is not ours to use.
std::string algorithm_of(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= least_rsa_bits) return "RS256";
    std::array<char, 64> group{};
    const bool named = EVP_PKEY_is_a(key, "EC") == 1 &&
                       EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1;
    return named && std::string(group.data()) == SN_X9_62_prime256v1 ? "ES256" : "";
}

} // namespace

Checked check_client_key(const Secret& pem) {
    const auto key = key_of(pem);
    if (!key) return unusable("it is no private key in PEM, or is locked with a password");
    if (algorithm_of(key.get()).empty())
        return unusable("it is neither an RSA key of 2048 bits or more nor an EC key of P-256");
    return Nothing{};
}

Checked prove_by_key(
    ServiceRequest& request, const Secret& pem, const std::string& client,
    const std::string& audience, const std::string& id, Instant now) {
    const auto key = key_of(pem);
    const auto algorithm = key ? algorithm_of(key.get()) : std::string();
    if (algorithm.empty()) return unusable("the key of our client cannot be used");
    JsonObject header, claims;
    header.set("alg", algorithm).set("typ", "JWT");
    claims.set("iss", client)
        .set("sub", client)
        .set("aud", audience)
        .set("jti", id)
        .set("iat", epoch(now))
        .set("exp", epoch(now + lifetime));
    const auto text = to_base64url(json_string(header)) + "." + to_base64url(json_string(claims));
    const auto signature = jws::signature_by(key.get(), text);
    if (signature.empty()) return unusable("the key of our client did not sign");
    request.form = Secret(
        request.form.reveal() + "&client_assertion_type=" +
        percent_encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") +
        "&client_assertion=" + text + "." + to_base64url(signature));
    return Nothing{};
}

} // namespace consentgate::core
