#include "consentgate/core/signin/provider_keys.h"

#include "tests/support/provider_signing.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::size_t used(const std::vector<JsonObject>& keys) { return keys_of(keys).keys.size(); }

} // namespace

BOOST_AUTO_TEST_SUITE(provider_keys)

BOOST_AUTO_TEST_CASE(a_key_is_read_with_what_it_is_for, *label("SI43")) {
    const auto key = provider_rsa().jwk("one").set("alg", "RS256").set("issuer", "https://i");
    const auto read = keys_of({key, provider_ec().jwk()});
    BOOST_REQUIRE(read.keys.size() == 2U);
    BOOST_TEST(read.keys[0].id == "one");
    BOOST_TEST(read.keys[0].issuer == "https://i");
    BOOST_TEST(read.keys[0].fits("RS256"));
    BOOST_TEST(!read.keys[0].fits("PS256"));
    BOOST_TEST(!read.keys[0].fits("HS256"));
    BOOST_TEST(!read.keys[0].fits("none"));
    BOOST_TEST(read.keys[1].id.empty());
    BOOST_TEST(read.keys[1].fits("ES256"));
    BOOST_TEST(!read.keys[1].fits("ES384"));
    BOOST_TEST(!read.keys[1].fits("RS256"));
}

BOOST_AUTO_TEST_CASE(
    entries_of_no_use_are_skipped_beside_good_ones, *label("SI43") * label("SA6")) {
    const auto rsa = provider_rsa().jwk("r");
    const auto ec = provider_ec().jwk("e");
    const std::vector<JsonObject> useless{
        JsonObject(rsa).set("use", "enc"),
        JsonObject(rsa).set("alg", "RSA-OAEP-256"),
        JsonObject(rsa).set("key_ops", JsonArray{"wrapKey"}),
        JsonObject(rsa).set("d", "AQAB"), // everybody has this key
        JsonObject(rsa).set("n", "AQAB"),
        JsonObject(rsa).set("n", "not base64!"),
        JsonObject(rsa).set("e", "AQ"), // with 1 as exponent everybody can sign
        JsonObject(rsa).set("e", "Ag"),
        JsonObject(rsa).set("e", "AQABAQAB"),
        JsonObject(rsa).set("e", ""),
        JsonObject(ec).set("crv", "P-224"),
        JsonObject(ec).set("crv", "P-384"),
        JsonObject(ec).set("x", "AAAA"),
        JsonObject(ec).set("y", ec.text("x").value()), // not on the curve
        JsonObject(ec).set("kty", "RSA"),
        JsonObject().set("kty", "oct").set("k", "c2VjcmV0").set("alg", "HS256"),
        JsonObject().set("kty", "OKP").set("crv", "X25519").set("x", "AAAA"),
        JsonObject().set("kty", "OKP").set("crv", "Ed25519").set("x", "AAAA"),
        JsonObject(),
        SigningKey::rsa(1024).jwk("short"),
    };
    for (const auto& key : useless)
        BOOST_TEST_CONTEXT(json_string(key)) BOOST_TEST(used({key}) == 0U);
    auto all = useless;
    all.push_back(rsa);
    all.insert(all.begin(), ec);
    const auto read = keys_of(all);
    BOOST_TEST(read.keys.size() == 2U);
    BOOST_TEST(read.skipped == useless.size());
    BOOST_TEST(used({JsonObject(rsa).set("use", "sig").set("key_ops", JsonArray{"verify"})}) == 1U);
    BOOST_TEST(used({JsonObject(rsa).set("x5c", JsonArray{"MII"}).set("more", 1)}) == 1U);
}

BOOST_AUTO_TEST_CASE(a_number_may_begin_with_zeros, *label("SI43")) {
    const auto rsa = provider_rsa().jwk("r");
    const auto zero = std::string(1, '\0');
    const auto longer = to_base64url(zero + *from_base64(rsa.text("n").value(), Base64::url));
    const auto read = keys_of({JsonObject(rsa).set("n", longer)});
    BOOST_REQUIRE(read.keys.size() == 1U);
    BOOST_TEST(read.keys[0].pem == keys_of({rsa}).keys.at(0).pem);
}

BOOST_AUTO_TEST_CASE(a_set_is_bounded_and_may_be_empty, *label("SI43") * label("SA23")) {
    BOOST_TEST(used({}) == 0U);
    BOOST_TEST(used(std::vector<JsonObject>(64, provider_ec().jwk("e"))) == 64U);
    const auto many = keys_of(std::vector<JsonObject>(70, provider_ec().jwk("e")));
    BOOST_TEST(many.keys.size() == 64U);
    BOOST_TEST(many.skipped == 6U);
    const auto refused = [](const std::string& text) {
        const auto read = read_provider_keys(text);
        return !read && !read.error().reason.empty() && !read.error().message.empty();
    };
    for (const auto* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":"x"})", "<html>"})
        BOOST_TEST_CONTEXT(text) BOOST_TEST(refused(text));
    BOOST_TEST(!refused(R"({"keys":[1,"x",null,[]]})"));
    BOOST_TEST(!refused("\xef\xbb\xbf{\"keys\":[]}"));
    const auto padded = [](std::size_t bytes) {
        return R"({"keys":[],"x":")" + std::string(bytes, 'x') + "\"}";
    };
    BOOST_TEST(!refused(padded(250 * 1024)));
    BOOST_TEST(refused(padded(256 * 1024)));
    BOOST_TEST(refused(padded(10 << 20)));
    BOOST_TEST(refused("{\"keys\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}"));
}

BOOST_AUTO_TEST_SUITE_END()
