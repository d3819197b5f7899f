#include "consentgate/core/signin/assertion.h"

#include "tests/support/provider_signing.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::string counting(char first) {
    std::string bytes(32, '\0');
    for (auto& byte : bytes) byte = first++;
    return bytes;
}

ServerKey server_key(const std::string& id, char first) {
    return {KeyId(id), Secret(counting(first))};
}

AssertedCall sample_call() {
    AssertedCall call;
    call.issuer = "https://auth.example.org";
    call.resource = "https://tools.example.org/mcp";
    call.subject = "user:3f9c21ab";
    call.client_id = "cgc_sample";
    call.scope = "mcp profile";
    call.session = "session_1";
    call.identity = "verified_user";
    call.token_ends = noon + Span(3600);
    return call;
}

PersonFacts sample_asserted_person() {
    PersonFacts person;
    person.name = "Anna";
    person.idp = IdpId("corp");
    person.groups = std::vector<std::string>{"eng"};
    return person;
}

JsonObject claims_of(const AssertedCall& call, Span lifetime = Span(300)) {
    return assertion_claims(call, lifetime, noon);
}
JsonObject claims_of(const PersonFacts& person, std::optional<Instant> auth_time = {}) {
    auto call = sample_call();
    call.person = &person;
    call.auth_time = auth_time;
    return claims_of(call);
}

// OpenSSL verifies it, with a key of the set and nothing else.
bool verified(const std::string& token, const std::string& key_set, const std::string& kid) {
    const auto keys = read_provider_keys(key_set);
    const auto last = token.rfind('.');
    for (const auto& key : keys->keys) {
        if (key.id == kid)
            return verify_signature(
                *signature_algorithm("ES256"), key.pem, token.substr(0, last),
                from_base64(token.substr(last + 1), Base64::url).value());
    }
    return false;
}

JsonObject part(const std::string& token, std::size_t at) {
    return parse_json_object(*from_base64(split(token, '.').at(at), Base64::url)).value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(assertion)

BOOST_AUTO_TEST_CASE(an_assertion_tells_whose_call_it_is, *label("SI75")) {
    const auto claims = claims_of(sample_call());
    BOOST_TEST(
        json_string(claims) ==
        R"({"iss":"https://auth.example.org","aud":"https://tools.example.org/mcp",)"
        R"("sub":"user:3f9c21ab","iat":1800000000,"exp":1800000300,"client_id":"cgc_sample",)"
        R"("scope":"mcp profile","session":"session_1","identity":"verified_user"})");
    BOOST_TEST(claims_of(sample_call(), Span(3600)).integer("exp").value() == epoch(noon) + 3600);
    BOOST_TEST(claims_of(sample_call(), Span(3601)).integer("exp").value() == epoch(noon) + 3600);
}

BOOST_AUTO_TEST_CASE(an_assertion_tells_of_a_person_what_counts, *label("SI75")) {
    auto person = sample_asserted_person();
    auto claims = claims_of(person);
    BOOST_TEST(claims.text("name").value() == "Anna");
    BOOST_TEST(claims.text("idp").value() == "corp");
    BOOST_TEST((claims.texts("groups") == std::vector<std::string>{"eng"}));
    for (const auto* name : {"email", "email_verified", "auth_time", "groups_omitted"})
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!claims.contains(name));
    person.email = "anna@example.org";
    person.groups->clear();
    claims = claims_of(person, noon - Span(5));
    BOOST_TEST(claims.text("email").value() == "anna@example.org");
    BOOST_TEST(claims.flag("email_verified").value());
    BOOST_TEST(claims.integer("auth_time").value() == epoch(noon) - 5);
    BOOST_TEST(claims.array("groups")->empty()); // none, which is known
    person.groups.reset();
    claims = claims_of(person);
    BOOST_TEST(!claims.contains("groups"));
    BOOST_TEST(claims.flag("groups_omitted").value());
}

BOOST_AUTO_TEST_CASE(
    an_assertion_is_signed_by_the_newest_server_key, *label("SI75") * label("SI76")) {
    const AssertionKeys keys(Keyring({server_key("old", 40), server_key("new", 0)}));
    const auto token = keys.sign(claims_of(sample_call()));
    BOOST_TEST(json_string(part(token, 0)) == R"({"alg":"ES256","typ":"at+jwt","kid":"new"})");
    BOOST_TEST(json_string(part(token, 1)) == json_string(claims_of(sample_call())));
    BOOST_TEST(verified(token, keys.key_set(), "new"));
    BOOST_TEST(!verified(token, keys.key_set(), "old"));
    auto changed = token;
    changed[token.find('.') + 5] ^= 1;
    BOOST_TEST(!verified(changed, keys.key_set(), "new"));
    // Each of many: r and s begin with zeros now and then.
    for (int i = 0; i < 300; ++i)
        BOOST_REQUIRE(verified(keys.sign(claims_of(sample_call())), keys.key_set(), "new"));
}

// The numbers were computed by another program, from RFC 5869 and FIPS 186-5 A.2.1.
BOOST_AUTO_TEST_CASE(every_machine_computes_the_same_keys, *label("SI76")) {
    const AssertionKeys keys(Keyring({server_key("one", 0)}));
    BOOST_TEST(
        keys.key_set() ==
        R"({"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"one",)"
        R"("x":"6sT-NKPMFvlQptpvZDFLmVjtcz_8fxOSEAOnLfQnIQs",)"
        R"("y":"i9IumA_3NQrFei5Cuxht8FwVgirPd1A69lq3kJCaxGc"}]})");
}

BOOST_AUTO_TEST_CASE(the_set_has_the_key_of_every_server_key_and_no_private_one, *label("SI76")) {
    const AssertionKeys keys(Keyring({server_key("a", 1), server_key("b", 2), server_key("c", 3)}));
    const auto read = read_provider_keys(keys.key_set());
    BOOST_REQUIRE(static_cast<bool>(read));
    BOOST_REQUIRE(read->keys.size() == 3U);
    BOOST_TEST(read->skipped == 0U); // as a key with its private part would be
    BOOST_TEST(read->keys[0].id + read->keys[1].id + read->keys[2].id == "abc");
    BOOST_TEST(read->keys[0].pem != read->keys[1].pem);
    // Withdrawn with its server key.
    const AssertionKeys fewer(Keyring({server_key("b", 2), server_key("c", 3)}));
    BOOST_TEST(verified(fewer.sign(JsonObject()), keys.key_set(), "c"));
    BOOST_TEST(!verified(keys.sign(JsonObject()), fewer.key_set(), "a"));
}

BOOST_AUTO_TEST_SUITE_END()
