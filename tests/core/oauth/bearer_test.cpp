#include "consentgate/core/oauth/bearer.h"

#include "tests/support/jwt.h"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::string credential_of(const std::optional<std::string>& header) {
    const auto credential = bearer_credential(header);
    if (!credential) return code_of(credential);
    return *credential ? (*credential)->reveal() : "(none)";
}

BearerVerifier verifier(
    std::vector<BearerKey> keys = {hs256_key()}, const std::string& issuer = "",
    const std::string& audience = "") {
    return BearerVerifier(std::move(keys), issuer, audience);
}

// "admin", "key <id>", "hash", or the error.
std::string named(
    const BearerVerifier& by, const Secret& token, const Policy& policy = sample_policy(),
    Instant now = noon) {
    const auto claims = by.verify(token, policy, now);
    if (!claims) return code_of(claims);
    if (claims->admin)
        return claims->virtual_key_id || claims->virtual_key_hash ? "admin with a key" : "admin";
    if (claims->virtual_key_hash) return "hash";
    return "key " + claims->virtual_key_id->text;
}

std::string claims(const std::string& others) {
    return "{\"exp\":" + in_an_hour() + (others.empty() ? "" : "," + others) + "}";
}

const std::string for_key = R"("virtual_key_id":"vk_1")";

} // namespace

BOOST_AUTO_TEST_SUITE(bearer)

// ---- the header
BOOST_AUTO_TEST_CASE(the_scheme_is_bearer_in_any_case_and_others_are_not_for_us, *label("C10")) {
    BOOST_TEST(credential_of("Bearer abc") == "abc");
    BOOST_TEST(credential_of("bEaReR   abc  ") == "abc");
    BOOST_TEST(credential_of(std::nullopt) == "(none)");
    for (const auto* other : {"", "Basic YTo=", "Negotiate abc", "Bearerabc", "Bear er"}) {
        BOOST_TEST_CONTEXT(other) BOOST_TEST(credential_of(other) == "(none)");
    }
}

BOOST_AUTO_TEST_CASE(a_bearer_that_names_nothing_usable_is_an_error, *label("S4") * label("C8")) {
    for (const auto* bad :
         {"Bearer", "bearer ", "Bearer a b", "Bearer a\tb", "Bearer \x01", "Bearer \xc3\xa9"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(credential_of(bad) == "invalid_bearer");
    }
    BOOST_TEST(credential_of("Bearer " + std::string(4096, 'a')) == std::string(4096, 'a'));
    BOOST_TEST(credential_of("Bearer " + std::string(4097, 'a')) == "invalid_bearer");
}

// ---- raw keys
BOOST_AUTO_TEST_CASE(a_raw_key_is_looked_up_by_its_digest_even_without_signing_keys, *label("S4")) {
    const auto found = verifier({}).verify(Secret("sk-bf-abc"), sample_policy(), noon);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->virtual_key_hash == sha256("sk-bf-abc")));
    BOOST_TEST(!found->admin);
    BOOST_TEST(named(verifier({}), Secret("SK-BF-abc")) == "invalid_bearer");
}

// ---- good tokens
BOOST_AUTO_TEST_CASE(a_token_under_each_algorithm_names_its_key, *label("S4")) {
    BOOST_TEST(named(verifier(), sign(claims(for_key))) == "key vk_1");
    BOOST_TEST(named(verifier({rs256_key()}), sign(claims(for_key), "RS256")) == "key vk_1");
    BOOST_TEST(named(verifier({es256_key()}), sign(claims(for_key), "ES256")) == "key vk_1");
}

BOOST_AUTO_TEST_CASE(any_of_several_keys_may_have_signed, *label("S4")) {
    const auto three =
        verifier({rs256_key(), es256_key(), {"HS256", Secret(std::string(32, 'o'))}, hs256_key()});
    for (const auto* algorithm : {"HS256", "RS256", "ES256"}) {
        BOOST_TEST_CONTEXT(algorithm)
        BOOST_TEST(named(three, sign(claims(for_key), algorithm)) == "key vk_1");
    }
}

BOOST_AUTO_TEST_CASE(the_claim_that_names_the_key_can_be_chosen_and_sub_stands_in, *label("S4")) {
    BOOST_TEST(named(verifier(), sign(claims(R"("sub":"vk_sub")"))) == "key vk_sub");
    BOOST_TEST(named(verifier(), sign(claims(R"("sub":"vk_sub",)" + for_key))) == "key vk_1");
    auto policy = sample_policy();
    policy.virtual_key_claim = "team_key";
    BOOST_TEST(
        named(verifier(), sign(claims(R"("team_key":"vk_2",)" + for_key)), policy) == "key vk_2");
    BOOST_TEST(named(verifier(), sign(claims(""))) == "invalid_bearer");
    BOOST_TEST(named(verifier(), sign(claims(R"("virtual_key_id":7)"))) == "invalid_bearer");
    BOOST_TEST(
        named(verifier(), sign(claims(R"("virtual_key_id":["vk_1"],"sub":"")"))) ==
        "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(an_admin_is_who_the_configured_claim_says, *label("S4")) {
    BOOST_TEST(
        named(verifier(), sign(claims(R"("role":"admin","sub":"root",)" + for_key))) == "admin");
    BOOST_TEST(
        verifier()
            .verify(sign(claims(R"("role":"admin","sub":"root")")), sample_policy(), noon)
            ->subject == "root");
    for (const auto* other :
         {R"("role":"Admin")", R"("role":"administrator")", R"("role":["admin"])", R"("role":true)",
          R"("admin":true)", R"("role":"")"}) {
        BOOST_TEST_CONTEXT(other)
        BOOST_TEST(
            named(verifier(), sign(claims(std::string(other) + "," + for_key))) == "key vk_1");
    }
    auto policy = sample_policy();
    policy.admin_claim = "grp";
    policy.admin_value = "ops";
    BOOST_TEST(named(verifier(), sign(claims(R"("grp":"ops")")), policy) == "admin");
    BOOST_TEST(
        named(verifier(), sign(claims(R"("role":"admin",)" + for_key)), policy) == "key vk_1");
}

BOOST_AUTO_TEST_CASE(an_empty_admin_value_or_claim_makes_nobody_an_admin, *label("S4")) {
    auto policy = sample_policy();
    policy.admin_value = "";
    BOOST_TEST(named(verifier(), sign(claims(for_key)), policy) == "key vk_1");
    BOOST_TEST(named(verifier(), sign(claims(R"("role":"",)" + for_key)), policy) == "key vk_1");
    policy.admin_claim = "";
    BOOST_TEST(named(verifier(), sign(claims(for_key)), policy) == "key vk_1");
}

// ---- times, issuer, audience
BOOST_AUTO_TEST_CASE(exp_is_required_and_is_a_number_in_the_future, *label("S4") * label("RS5")) {
    const auto with_exp = [](const std::string& exp) {
        return named(verifier(), sign("{" + exp + for_key + "}"));
    };
    const auto at = std::to_string(epoch(noon));
    const auto next = std::to_string(epoch(noon) + 1);
    BOOST_TEST(with_exp("\"exp\":" + next + ",") == "key vk_1");
    BOOST_TEST(
        with_exp("\"exp\":" + next + ".5,") == "key vk_1"); // a NumericDate may have a fraction
    BOOST_TEST(with_exp("\"exp\":253402300799,") == "key vk_1"); // the last second of the year 9999
    BOOST_TEST(with_exp("\"exp\":1e300,") == "invalid_bearer");
    for (const auto& bad :
         {std::string(), "\"exp\":" + at + ",", std::string("\"exp\":0,"),
          std::string("\"exp\":-1,"), "\"exp\":\"" + next + "\",", std::string("\"exp\":null,"),
          std::string("\"exp\":true,"), "\"exp\":[" + next + "],"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(with_exp(bad) == "invalid_bearer");
    }
}

BOOST_AUTO_TEST_CASE(nbf_is_obeyed_when_it_is_there, *label("S4") * label("RS5")) {
    const auto with_nbf = [](const std::string& nbf) {
        return named(verifier(), sign(claims("\"nbf\":" + nbf + "," + for_key)));
    };
    BOOST_TEST(with_nbf(std::to_string(epoch(noon))) == "key vk_1");
    BOOST_TEST(with_nbf(std::to_string(epoch(noon) + 1)) == "invalid_bearer");
    BOOST_TEST(with_nbf("\"0\"") == "invalid_bearer");
    BOOST_TEST(with_nbf("null") == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(the_issuer_is_checked_when_it_is_configured, *label("S4") * label("RS3")) {
    const auto strict = verifier({hs256_key()}, "https://idp.example");
    BOOST_TEST(
        named(strict, sign(claims(R"("iss":"https://idp.example",)" + for_key))) == "key vk_1");
    for (const auto* bad :
         {R"("iss":"https://idp.example/",)", R"("iss":"https://evil.example",)",
          R"("iss":["https://idp.example"],)", R"("iss":"",)", ""}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(named(strict, sign(claims(bad + for_key))) == "invalid_bearer");
    }
    BOOST_TEST(
        named(verifier(), sign(claims(R"("iss":"https://any.example",)" + for_key))) == "key vk_1");
}

BOOST_AUTO_TEST_CASE(the_audience_is_checked_when_it_is_configured, *label("S4") * label("RS4")) {
    const auto strict = verifier({hs256_key()}, "", "consentgate");
    for (const auto* good : {R"("aud":"consentgate",)", R"("aud":["other","consentgate"],)"}) {
        BOOST_TEST_CONTEXT(good)
        BOOST_TEST(named(strict, sign(claims(good + for_key))) == "key vk_1");
    }
    for (const auto* bad :
         {"", R"("aud":"other",)", R"("aud":[],)", R"("aud":["consentgatex"],)",
          R"("aud":{"consentgate":1},)", R"("aud":[1,null],)", R"("aud":[["consentgate"]],)"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(named(strict, sign(claims(bad + for_key))) == "invalid_bearer");
    }
}

// ---- forgeries
BOOST_AUTO_TEST_CASE(alg_none_is_refused_in_every_spelling, *label("K40") * label("RS1")) {
    const auto payload = to_base64url(claims(for_key));
    for (const auto* algorithm : {"none", "None", "NONE", "nOnE", ""}) {
        const auto header =
            to_base64url(std::string(R"({"alg":")") + algorithm + R"(","typ":"JWT"})");
        for (const auto& signature : {std::string(), std::string("."), std::string(".x")}) {
            BOOST_TEST_CONTEXT(algorithm << signature)
            BOOST_TEST(
                named(verifier(), Secret(header + "." + payload + signature)) == "invalid_bearer");
        }
        BOOST_TEST(
            named(
                verifier(),
                forge(std::string(R"({"alg":")") + algorithm + "\"}", claims(for_key))) ==
            "invalid_bearer");
    }
    BOOST_TEST(
        named(verifier(), forge(R"({"alg":"HS256"})", claims(for_key))) ==
        "key vk_1"); // the neighbour that is right
}

BOOST_AUTO_TEST_CASE(a_public_key_is_no_shared_secret, *label("K40") * label("RS1")) {
    for (const auto& key : {rs256_key(), es256_key()}) {
        for (const auto* algorithm : {"HS256", "HS384", "HS512"}) {
            const auto header = std::string(R"({"alg":")") + algorithm + "\"}";
            BOOST_TEST_CONTEXT(key.algorithm << " as " << algorithm) {
                BOOST_TEST(
                    named(verifier({key}), forge(header, claims(for_key), key.material.reveal())) ==
                    "invalid_bearer");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_algorithm_other_than_the_keys_is_refused, *label("K40") * label("RS1")) {
    const std::string secret(64, 's'); // long enough for all three
    for (const auto* algorithm : {"HS384", "HS512"}) {
        BOOST_TEST_CONTEXT(algorithm)
        BOOST_TEST(
            named(
                verifier({{"HS256", Secret(secret)}}), sign(claims(for_key), algorithm, secret)) ==
            "invalid_bearer");
    }
    BOOST_TEST(
        named(verifier({{"HS256", Secret(secret)}}), sign(claims(for_key), "HS256", secret)) ==
        "key vk_1");
    BOOST_TEST(named(verifier({rs256_key()}), sign(claims(for_key), "RS384")) == "invalid_bearer");
    BOOST_TEST(named(verifier({rs256_key()}), sign(claims(for_key), "ES256")) == "invalid_bearer");
    BOOST_TEST(named(verifier({es256_key()}), sign(claims(for_key), "RS256")) == "invalid_bearer");
    BOOST_TEST(named(verifier({}), sign(claims(for_key))) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(another_secret_or_a_changed_part_is_refused, *label("K40")) {
    BOOST_TEST(
        named(verifier(), sign(claims(for_key), "HS256", std::string(32, 'x'))) ==
        "invalid_bearer");
    const auto good = sign(claims(for_key)).reveal();
    const auto first = good.find('.');
    const auto second = good.rfind('.');
    const auto header = good.substr(0, first);
    const auto payload = good.substr(first + 1, second - first - 1);
    const auto signature = good.substr(second + 1);
    const auto other = to_base64url(claims(R"("virtual_key_id":"vk_2")"));
    for (const auto& bad :
         {header + "." + other + "." + signature, header + "." + payload + ".",
          header + "." + payload, header + "." + payload + "." + signature.substr(1),
          header + "." + payload + "." + signature + ".",
          header + "." + payload + "." + signature + "." + signature,
          "." + payload + "." + signature, header + ".." + signature, std::string("..."),
          std::string("."), std::string("abc"), payload + "." + payload + "." + signature}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(named(verifier(), Secret(bad)) == "invalid_bearer");
    }
}

// The leak checker of the test build watches: a library must not lose memory over a signature of
// the wrong size.
BOOST_AUTO_TEST_CASE(a_signature_of_another_size_is_refused, *label("K40")) {
    const auto three = verifier({hs256_key(), rs256_key(), es256_key()});
    for (const auto* algorithm : {"HS256", "RS256", "ES256"}) {
        const auto good = sign(claims(for_key), algorithm).reveal();
        BOOST_TEST(named(three, Secret(good)) == "key vk_1");
        for (const std::size_t cut : {1U, 2U, 4U, 20U, 40U}) {
            BOOST_TEST_CONTEXT(algorithm << " - " << cut)
            BOOST_TEST(named(three, Secret(good.substr(0, good.size() - cut))) == "invalid_bearer");
        }
        for (const auto* more : {"A", "AA", "AAAA", "="}) {
            BOOST_TEST_CONTEXT(algorithm << " + " << more)
            BOOST_TEST(named(three, Secret(good + more)) == "invalid_bearer");
        }
    }
}

BOOST_AUTO_TEST_CASE(parts_that_are_no_json_objects_are_refused_not_thrown, *label("K40")) {
    const std::string good_header = R"({"alg":"HS256"})";
    for (const auto* bad :
         {"", "[]", "null", "7", "\"x\"", "{", "{\"exp\":1e999}", "\xff", "{\"exp\":{}}"}) {
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(named(verifier(), forge(good_header, bad)) == "invalid_bearer");
            BOOST_TEST(named(verifier(), forge(bad, claims(for_key))) == "invalid_bearer");
        }
    }
    for (const auto* header :
         {"{\"alg\":7}", "{\"alg\":null}", "{\"alg\":[\"HS256\"]}", "{}", "{\"typ\":\"JWT\"}"}) {
        BOOST_TEST_CONTEXT(header)
        BOOST_TEST(named(verifier(), forge(header, claims(for_key))) == "invalid_bearer");
    }
}

BOOST_AUTO_TEST_CASE(the_bytes_that_were_signed_are_what_is_verified, *label("S4")) {
    for (const auto* header :
         {R"({"typ":"JWT","alg":"HS256"})", R"({ "alg" : "HS256" , "kid" : "1" })",
          R"({"kid":"z","typ":"at+jwt","alg":"\u0048S256"})"}) {
        BOOST_TEST_CONTEXT(header)
        BOOST_TEST(
            named(verifier(), forge(header, "{ " + claims(for_key).substr(1))) == "key vk_1");
    }
}

// spec: RFC 7515 section 4.1.11: an extension that must be understood, and is not
BOOST_AUTO_TEST_CASE(a_critical_header_that_nobody_understands_is_refused, *label("K40")) {
    BOOST_TEST(
        named(verifier(), forge(R"({"alg":"HS256","crit":["exp2"],"exp2":1})", claims(for_key))) ==
        "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_key_inside_the_token_is_not_believed, *label("K40") * label("RS1")) {
    BOOST_TEST(
        named(
            verifier(),
            forge(
                R"({"alg":"HS256","jwk":{"kty":"oct","k":"eHg"},"jku":"https://evil.test/k"})",
                claims(for_key), std::string(32, 'x'))) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(
    refusals_say_the_same_and_hold_nothing_of_the_token, *label("S5") * label("K47")) {
    const auto expired =
        verifier().verify(sign("{\"exp\":1," + for_key + "}"), sample_policy(), noon);
    const auto unsigned_one =
        verifier().verify(Secret("secret-text-of-mine"), sample_policy(), noon);
    BOOST_TEST(expired.error().message == unsigned_one.error().message);
    BOOST_TEST(
        (unsigned_one.error().message + unsigned_one.error().reason).find("secret-text") ==
        std::string::npos);
}

// ---- the operator's keys
BOOST_AUTO_TEST_CASE(
    a_key_that_cannot_serve_is_refused_at_start_without_being_quoted, *label("S4")) {
    const std::vector<BearerKey> bad{
        {"HS256", Secret(std::string(31, 's'))},
        {"HS256", Secret("")},
        {"RS256", Secret("sssss")},
        {"ES256", Secret("sssss")},
        {"none", Secret("sssss")},
        {"HS384", Secret(std::string(64, 's'))},
        {"hs256", Secret(std::string(32, 's'))},
        {"", Secret("sssss")},
        {"RS256", Secret("")},
        {"RS256", Secret(public_pem(ec_pair()))},
        {"ES256", Secret(public_pem(rsa_pair()))}};
    for (const auto& key : bad) {
        BOOST_TEST_CONTEXT(key.algorithm << " " << key.material.reveal()) {
            BOOST_CHECK_EXCEPTION(verifier({key}), std::invalid_argument, [](const auto& error) {
                return std::string(error.what()).find("sssss") == std::string::npos;
            });
        }
    }
    BOOST_CHECK_NO_THROW(verifier({{"HS256", Secret(std::string(32, 's'))}}));
}

BOOST_AUTO_TEST_SUITE_END()
