#include "consentgate/core/oauth/client_auth.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"
#include "tests/support/signing.h"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

std::string base64(const std::string& text) {
    auto digits = to_base64url(text);
    for (auto& c : digits) c = c == '-' ? '+' : c == '_' ? '/' : c;
    return digits + std::string((4 - digits.size() % 4) % 4, '=');
}
std::string basic(const std::string& id, const std::string& secret) {
    return "Basic " + base64(id + ":" + secret);
}

Client secret_client(const std::string& secret) {
    auto client = sample_client();
    client.auth = ClientAuth::client_secret_post;
    client.secret = sha256(secret);
    return client;
}

std::string valid(
    const std::string& form, const std::optional<std::string>& header,
    const std::optional<Client>& client) {
    const auto credentials = read_client_credentials(web::read_credentials(form_of(form), header));
    return credentials ? code_of(verify_client(*credentials, client, sample_policy(), noon))
                       : code_of(credentials);
}

const TestKey& rsa() {
    static const auto key = TestKey::rsa();
    return key;
}
const TestKey& ec() {
    static const auto key = TestKey::ec();
    return key;
}

Client key_client(const TestKey& key) {
    auto client = sample_client();
    client.auth = ClientAuth::private_key_jwt;
    client.jwks = key.jwks();
    return client;
}

Poco::JWT::Token sample_assertion() {
    Poco::JWT::Token token;
    token.payload()
        .set("iss", "cgc_sample")
        .set("sub", "cgc_sample")
        .set("aud", "https://auth.example.org");
    token.payload().set("exp", epoch(noon) + 60).set("iat", epoch(noon)).set("jti", "one");
    return token;
}

std::string asserted(const std::string& assertion, const Client& client) {
    return valid(
        Parameters{{"client_assertion_type", type}, {"client_assertion", assertion}}.text(),
        std::nullopt, client);
}

using Change = std::function<void(Poco::JWT::Token&)>;
std::string asserted_with(const Change& change) {
    auto token = sample_assertion();
    change(token);
    return asserted(rsa().sign(token, "RS256"), key_client(rsa()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_auth)

BOOST_AUTO_TEST_CASE(a_public_client_names_itself_and_sends_no_secret, *label("T6") * label("R6")) {
    BOOST_TEST(valid("client_id=cgc_sample", {}, sample_client()) == "ok");
    BOOST_TEST(
        valid("client_id=cgc_sample&client_secret=", {}, sample_client()) ==
        "ok"); // an empty value is an absent one
    BOOST_TEST(
        valid("client_id=cgc_sample", "Bearer x", sample_client()) ==
        "ok"); // not client authentication
    BOOST_TEST(valid("", {}, sample_client()) == "invalid_client");
    for (const auto& header :
         {basic("cgc_sample", ""), basic("cgc_sample", "s"), std::string("Basic"),
          std::string("bAsIc garbage!!")}) {
        BOOST_TEST_CONTEXT(header)
        BOOST_TEST(valid("client_id=cgc_sample", header, sample_client()) == "invalid_client");
    }
    BOOST_TEST(
        valid("client_id=cgc_sample&client_secret=s", {}, sample_client()) == "invalid_client");
    BOOST_TEST(
        asserted(rsa().sign(sample_assertion(), "RS256"), sample_client()) == "invalid_client");
}

BOOST_AUTO_TEST_CASE(
    an_assertion_of_a_client_that_may_go_without_must_verify_all_the_same,
    *label("XE1") * label("T6")) {
    auto either = key_client(rsa());
    either.auth = ClientAuth::none;
    BOOST_TEST(valid("client_id=cgc_sample", {}, either) == "ok");
    const auto good = rsa().sign(sample_assertion(), "RS256");
    BOOST_TEST(asserted(good, either) == "ok");
    BOOST_TEST(asserted(good + "x", either) == "invalid_client");
    BOOST_TEST(
        asserted(TestKey::rsa().sign(sample_assertion(), "RS256"), either) == "invalid_client");
    BOOST_TEST(asserted("", either) == "invalid_client"); // an empty one is none, without an id
    BOOST_TEST(valid("client_id=cgc_sample&client_secret=s", {}, either) == "invalid_client");
    either.active = false;
    BOOST_TEST(asserted(good, either) == "invalid_client");
}

BOOST_AUTO_TEST_CASE(
    an_assertion_that_cannot_be_read_proves_nothing_beside_a_client_id, *label("XE1")) {
    auto either = key_client(rsa());
    either.auth = ClientAuth::none;
    const auto beside = [&](const std::string& assertion) {
        return valid(
            Parameters{
                {"client_id", "cgc_sample"},
                {"client_assertion_type", type},
                {"client_assertion", assertion}}
                .text(),
            {}, either);
    };
    const auto good = rsa().sign(sample_assertion(), "RS256");
    BOOST_TEST(beside(good) == "ok");
    for (const auto& bad :
         {std::string("x"), std::string("a.b"), good.substr(0, good.rfind('.') + 1),
          good.substr(good.find('.'))})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(beside(bad) == "invalid_client");
    auto token = sample_assertion();
    token.payload().remove("sub");
    BOOST_TEST(beside(rsa().sign(token, "RS256")) == "invalid_client");
    token.payload().set("sub", "cgc_other");
    BOOST_TEST(beside(rsa().sign(token, "RS256")) == "invalid_request"); // two clients at once
}

BOOST_AUTO_TEST_CASE(
    a_secret_is_taken_from_the_body_and_from_the_header_encoded_or_not, *label("T7")) {
    const auto client = secret_client("a+b:c%2F/ü");
    BOOST_TEST(
        valid(
            Parameters{{"client_id", "cgc_sample"}, {"client_secret", "a+b:c%2F/ü"}}.text(), {},
            client) == "ok");
    BOOST_TEST(valid("", basic("cgc_sample", "a+b:c%2F/ü"), client) == "ok");
    BOOST_TEST(valid("", basic("cgc_sample", percent_encode("a+b:c%2F/ü")), client) == "ok");
    BOOST_TEST(valid("client_id=cgc_sample", basic("cgc_sample", "a+b:c%2F/ü"), client) == "ok");
    BOOST_TEST(valid("", basic("cgc_sample", "a+b:c%2F/"), client) == "invalid_client");
    BOOST_TEST(valid("client_id=cgc_sample&client_secret=wrong", {}, client) == "invalid_client");
}

// A database server refuses such bytes, and the client would hear that the server is away.
BOOST_AUTO_TEST_CASE(no_client_id_holds_bytes_that_are_no_text, *label("T9")) {
    const auto id_in = [](const SentCredentials& sent) {
        const auto read = read_client_credentials(sent);
        return read ? read->id : "(refused)";
    };
    const auto header = [&](const std::string& id) {
        return id_in(web::read_credentials(form_of(""), basic(id, "s")));
    };
    BOOST_TEST(header("a%C3%BC") == "a\u00fc");
    BOOST_TEST(header("a%FF") == "a%FF");
    BOOST_TEST(header("a%00b") == "a%00b");
    BOOST_TEST(header("a%0Ab") == "a%0Ab");
    BOOST_TEST(header("a\xff") == "(refused)");
    const auto subject = [&](const std::string& claims) {
        const auto assertion =
            to_base64url(R"({"alg":"ES256"})") + "." + to_base64url(claims) + ".AA";
        return id_in(web::read_credentials(
            Parameters{{"client_assertion_type", type}, {"client_assertion", assertion}}.form(),
            {}));
    };
    BOOST_TEST(subject(R"({"sub":"cgc_sample"})") == "cgc_sample");
    BOOST_TEST(subject(R"({"sub":"a\u0000b"})") == "");
    BOOST_TEST(subject("{\"sub\":\"a\xff\"}") == "");
}

BOOST_AUTO_TEST_CASE(two_ways_at_once_and_two_clients_at_once_are_invalid_requests, *label("T8")) {
    const auto client = secret_client("s");
    BOOST_TEST(valid("client_secret=s", basic("cgc_sample", "s"), client) == "invalid_request");
    BOOST_TEST(valid("client_secret=s&client_assertion=x", {}, client) == "invalid_request");
    BOOST_TEST(valid("client_assertion=x", basic("cgc_sample", "s"), client) == "invalid_request");
    BOOST_TEST(valid("client_id=cgc_other", basic("cgc_sample", "s"), client) == "invalid_request");
    BOOST_TEST(
        valid("client_assertion=x&client_assertion_type=another", {}, client) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(a_client_that_is_unknown_or_disabled_or_wrong_hears_the_same, *label("T9")) {
    auto disabled = secret_client("s");
    disabled.active = false;
    const auto message = [](const std::optional<Client>& client) {
        const auto valid = verify_client(
            *read_client_credentials(
                web::read_credentials(form_of("client_id=cgc_sample&client_secret=s"), {})),
            client, sample_policy(), noon);
        return valid ? std::string("ok") : valid.error().message;
    };
    BOOST_TEST(message(secret_client("s")) == "ok");
    BOOST_TEST(message(std::nullopt) == message(secret_client("another")));
    BOOST_TEST(message(disabled) == message(secret_client("another")));
    for (const auto* header :
         {"Basic", "Basic !!", "Basic YWJj", "Basic AGE6Yg==", "Basic YTpi=", "Basic YTpi YTpi"}) {
        BOOST_TEST_CONTEXT(header)
        BOOST_TEST(valid("", header, secret_client("s")) == "invalid_client");
    }
}

BOOST_AUTO_TEST_CASE(no_client_comes_with_less_than_it_registered, *label("T10")) {
    BOOST_TEST(valid("client_id=cgc_sample", {}, secret_client("s")) == "invalid_client");
    BOOST_TEST(valid("client_id=cgc_sample", {}, key_client(rsa())) == "invalid_client");
    BOOST_TEST(
        valid("client_id=cgc_sample&client_secret=s", {}, key_client(rsa())) == "invalid_client");
    BOOST_TEST(
        asserted(rsa().sign(sample_assertion(), "RS256"), secret_client("s")) == "invalid_client");
    // A secret that was never set is no secret that could be guessed.
    BOOST_TEST(
        valid(
            "client_id=cgc_sample&client_secret=" + sha256("").hex, {},
            secret_client("").auth == ClientAuth::none ? sample_client() : key_client(rsa())) ==
        "invalid_client");
}

BOOST_AUTO_TEST_CASE(an_assertion_of_the_clients_own_key_proves_it, *label("T11") * label("R38")) {
    BOOST_TEST(asserted(rsa().sign(sample_assertion(), "RS256"), key_client(rsa())) == "ok");
    BOOST_TEST(asserted(ec().sign(sample_assertion(), "ES256"), key_client(ec())) == "ok");
    BOOST_TEST(
        asserted(rsa().sign(sample_assertion(), "RS256"), key_client(TestKey::rsa())) ==
        "invalid_client");
    BOOST_TEST(asserted_with([](auto& token) {
                   token.payload().set("aud", "https://auth.example.org/api/oauth/per-user/token");
               }) == "ok");
    BOOST_TEST(
        asserted_with([](auto& token) { token.setType("client-authentication+jwt"); }) == "ok");
    BOOST_TEST(
        asserted_with([](auto& token) { token.payload().set("exp", epoch(noon) + 600); }) == "ok");
}

BOOST_AUTO_TEST_CASE(
    an_assertion_with_anything_wrong_proves_nothing, *label("T11") * label("K41")) {
    const std::vector<std::pair<const char*, Change>> wrongs{
        {"iss", [](auto& token) { token.payload().set("iss", "cgc_other"); }},
        {"sub", [](auto& token) { token.payload().set("sub", "cgc_other"); }},
        {"no aud", [](auto& token) { token.payload().remove("aud"); }},
        {"another aud",
         [](auto& token) { token.payload().set("aud", "https://auth.example.org/"); }},
        {"one more aud",
         [](auto& token) {
             Poco::JSON::Array list;
             list.add("https://auth.example.org").add("https://else.example");
             token.payload().set("aud", list);
         }},
        {"an aud that is no text",
         [](auto& token) {
             Poco::JSON::Array list;
             list.add("https://auth.example.org").add(1);
             token.payload().set("aud", list);
         }},
        {"no exp", [](auto& token) { token.payload().remove("exp"); }},
        {"over", [](auto& token) { token.payload().set("exp", epoch(noon)); }},
        {"too long", [](auto& token) { token.payload().set("exp", epoch(noon) + 601); }},
        {"from the future", [](auto& token) { token.payload().set("iat", epoch(noon) + 61); }},
        {"not yet", [](auto& token) { token.payload().set("nbf", epoch(noon) + 1); }},
        {"no jti", [](auto& token) { token.payload().remove("jti"); }},
        {"an access token", [](auto& token) { token.setType("at+jwt"); }}};
    for (const auto& [what, change] : wrongs)
        BOOST_TEST_CONTEXT(what) BOOST_TEST(asserted_with(change) != "ok");
    const auto right = rsa().sign(sample_assertion(), "RS256");
    BOOST_TEST(asserted(right + "x", key_client(rsa())) == "invalid_client");
    BOOST_TEST(
        asserted(right.substr(0, right.rfind('.') + 1), key_client(rsa())) == "invalid_client");
    BOOST_TEST(asserted("not a jwt", key_client(rsa())) == "invalid_client");
}

// spec: RFC 8725 sections 2.1 and 3.1: neither no signature nor the public key taken for a shared
//       secret
BOOST_AUTO_TEST_CASE(
    the_algorithm_is_the_keys_and_not_the_assertions, *label("T11") * label("K40")) {
    auto none = sample_assertion();
    none.setAlgorithm("none");
    BOOST_TEST(asserted(none.toString(), key_client(rsa())) == "invalid_client");
    Poco::JWT::Signer hmac(rsa().public_pem());
    auto confused = sample_assertion();
    BOOST_TEST(asserted(hmac.sign(confused, "HS256"), key_client(rsa())) == "invalid_client");
}

BOOST_AUTO_TEST_CASE(two_uses_of_one_jti_have_one_name_and_two_clients_have_two, *label("T11")) {
    const auto use = [](const Client& client, const std::string& jti) {
        auto token = sample_assertion();
        token.payload().set("jti", jti).set("iss", client.id.text).set("sub", client.id.text);
        const auto form =
            Parameters{
                {"client_assertion_type", type}, {"client_assertion", rsa().sign(token, "RS256")}}
                .form();
        return (*verify_client(
                    *read_client_credentials(web::read_credentials(form, {})), client,
                    sample_policy(), noon))
            ->id.hex;
    };
    auto other = key_client(rsa());
    other.id = ClientId("cgc_other");
    BOOST_TEST(use(key_client(rsa()), "one") == use(key_client(rsa()), "one"));
    BOOST_TEST(use(key_client(rsa()), "one") != use(key_client(rsa()), "two"));
    BOOST_TEST(use(key_client(rsa()), "one") != use(other, "one"));
}

BOOST_AUTO_TEST_CASE(a_key_set_holds_public_keys_that_are_some, *label("R13") * label("T11")) {
    BOOST_TEST(code_of(check_jwks(rsa().jwks())) == "ok");
    BOOST_TEST(code_of(check_jwks(ec().jwks())) == "ok");
    for (const std::string bad :
         {"", "[]", "{}", R"({"keys":[]})", R"({"keys":{}})", R"({"keys":[1]})",
          R"({"keys":[{"kty":"oct","k":"YQ"}]})",
          R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
          R"({"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]})",
          R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQ"}]})"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!check_jwks(bad));
    }
    auto off_curve = ec().jwks();
    off_curve.replace(off_curve.find("\"x\":\"") + 5, 4, "AAAA");
    BOOST_TEST(!check_jwks(off_curve));
    auto with_private = rsa().jwks();
    with_private.insert(with_private.find("\"n\""), "\"d\":\"AQAB\",");
    BOOST_TEST(!check_jwks(with_private));
    const auto beside = ec().jwks();
    BOOST_TEST(!check_jwks(
        R"({"keys":[{"kty":"RSA","use":"enc","d":"AQAB"},)" + beside.substr(beside.find('[') + 1)));
}

BOOST_AUTO_TEST_SUITE_END()
