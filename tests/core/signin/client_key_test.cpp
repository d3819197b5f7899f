// Tests src/core/signin/client_key.cpp: a proof by a private key, which its public one verifies.
#include "consentgate/core/signin/client_key.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/public_key.h"
#include "consentgate/core/base/text.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

const Instant noon = from_epoch(1'800'000'000);

struct Pair {
    Secret secret;
    std::string open; // the public part, in PEM
};

template <class Write> std::string pem_of(const Write& write) {
    const std::unique_ptr<BIO, void (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free_all);
    write(out.get());
    BUF_MEM* text = nullptr;
    BIO_get_mem_ptr(out.get(), &text);
    return {text->data, text->length};
}

Pair pair_of(EVP_PKEY* made, const char* password = nullptr) {
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(made, EVP_PKEY_free);
    const auto* cipher = password == nullptr ? nullptr : EVP_aes_256_cbc();
    return {
        Secret(pem_of([&](BIO* out) {
            PEM_write_bio_PKCS8PrivateKey(
                out, key.get(), cipher, password,
                password == nullptr ? 0 : static_cast<int>(std::string(password).size()), nullptr,
                nullptr);
        })),
        pem_of([&](BIO* out) { PEM_write_bio_PUBKEY(out, key.get()); })};
}
Pair rsa(std::size_t bits) { return pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)); }
Pair ec(const char* curve, const char* password = nullptr) {
    return pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve), password);
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_keys)

BOOST_AUTO_TEST_CASE(a_proof_is_a_token_that_the_public_key_verifies, *label("SI4")) {
    const std::pair<Pair, std::string> keys[] = {{rsa(2048), "RS256"}, {ec("P-256"), "ES256"}};
    for (const auto& [key, algorithm] : keys) {
        ServiceRequest request{"https://sso/token", Secret("grant_type=x&client_id=us"), {}};
        BOOST_REQUIRE(
            bool(prove_by_key(request, key.secret, "us", "https://sso/token", "1", noon)));
        const auto form = Form::parse(request.form.reveal());
        BOOST_REQUIRE(bool(form));
        BOOST_TEST(form->get("grant_type").value_or("") == "x");
        BOOST_TEST(
            form->get("client_assertion_type").value_or("") ==
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        const auto parts = split(form->get("client_assertion").value_or(""), '.');
        BOOST_REQUIRE(parts.size() == 3U);
        const auto read = [](const std::string& part) {
            return parse_json_object(from_base64(part, Base64::url).value_or(""))
                .value_or(JsonObject());
        };
        BOOST_TEST(read(parts[0]).text("alg").value_or("") == algorithm);
        const auto claims = read(parts[1]);
        BOOST_TEST(claims.text("iss").value_or("") == "us");
        BOOST_TEST(claims.text("sub").value_or("") == "us");
        BOOST_TEST(claims.text("aud").value_or("") == "https://sso/token");
        BOOST_TEST(claims.text("jti").value_or("") == "1");
        BOOST_TEST(claims.integer("exp").value_or(0) == epoch(noon) + 60);
        const auto text = parts[0] + "." + parts[1];
        const auto signature = from_base64(parts[2], Base64::url).value_or("");
        BOOST_TEST(verify_signature(*signature_algorithm(algorithm), key.open, text, signature));
        BOOST_TEST(
            !verify_signature(*signature_algorithm(algorithm), key.open, text + "x", signature));
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_is_weak_or_locked_is_refused, *label("SI4")) {
    BOOST_TEST(bool(check_client_key(rsa(2048).secret)));
    BOOST_TEST(bool(check_client_key(ec("P-256").secret)));
    BOOST_TEST(!bool(check_client_key(rsa(1024).secret)));
    BOOST_TEST(!bool(check_client_key(ec("P-384").secret)));
    BOOST_TEST(!bool(check_client_key(ec("P-256", "a password").secret)));
    BOOST_TEST(!bool(check_client_key(Secret(ec("P-256").open))));
    BOOST_TEST(!bool(check_client_key(Secret("a secret"))));
    ServiceRequest request;
    BOOST_TEST(!bool(prove_by_key(request, Secret("a secret"), "us", "https://sso", "1", noon)));
    BOOST_TEST(request.form.empty());
}

BOOST_AUTO_TEST_SUITE_END()
