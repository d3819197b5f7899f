// Tests src/core/signin/id_token.cpp: the claims of an ID token and of the sign-in that asked.
#include "id_tokens.h"

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(id_token_claims)

BOOST_AUTO_TEST_CASE(
    the_issuer_is_the_rows_to_the_character, *label("SI39") * label("SA2") * label("SA10")) {
    BOOST_TEST(with_claims(keep()) == "ok");
    for (const auto* issuer :
         {"https://sso.example.org/realms/staff/", "https://SSO.example.org/realms/staff",
          "https://sso.example.org:443/realms/staff", "http://sso.example.org/realms/staff",
          "https://sso.example.org/realms/other", "https://b.example", "", " "})
        BOOST_TEST_CONTEXT(issuer) BOOST_TEST(with_claims(put("iss", issuer)) == "iss");
    BOOST_TEST(with_claims(drop("iss")) == "iss");
    BOOST_TEST(with_claims(put("iss", JsonArray{"https://sso.example.org/realms/staff"})) == "iss");
    // A provider whose issuer ends in a slash.
    auto auth0 = sample_signing_provider();
    auth0.issuer = "https://t.auth0.com/";
    BOOST_TEST(with_claims(put("iss", "https://t.auth0.com/"), expected(), auth0) == "ok");
    BOOST_TEST(with_claims(put("iss", "https://t.auth0.com"), expected(), auth0) == "iss");
    // Its token at another provider that has the same keys.
    BOOST_TEST(with_claims(keep(), expected(), auth0) == "iss");
}

BOOST_AUTO_TEST_CASE(a_token_is_for_us_and_asked_for_by_us, *label("SI40") * label("SA3")) {
    const Json both = JsonArray{"consentgate", "other"};
    const auto two = [](const Edit& more) {
        return [more](JsonObject& claims) {
            claims.set("aud", JsonArray{"consentgate", "other"});
            more(claims);
        };
    };
    BOOST_TEST(with_claims(put("aud", JsonArray{"consentgate"})) == "ok");
    BOOST_TEST(with_claims(two(put("azp", "consentgate"))) == "ok");
    BOOST_TEST(with_claims(put("azp", "consentgate")) == "ok");
    BOOST_TEST(with_claims(put("aud", "other")) == "aud");
    BOOST_TEST(with_claims(put("aud", "consentgate2")) == "aud");
    BOOST_TEST(with_claims(put("aud", JsonArray{"other"})) == "aud");
    BOOST_TEST(with_claims(put("aud", JsonArray())) == "aud");
    BOOST_TEST(with_claims(put("aud", JsonArray{"consentgate", 1})) == "aud");
    BOOST_TEST(with_claims(put("aud", JsonObject().set("consentgate", true))) == "aud");
    BOOST_TEST(with_claims(drop("aud")) == "aud");
    BOOST_TEST(with_claims(two(put("azp", "other"))) == "azp");
    BOOST_TEST(with_claims(two(keep())) == "azp");
    BOOST_TEST(with_claims(two(put("azp", nullptr))) == "azp");
    BOOST_TEST(with_claims(put("azp", "other")) == "azp");
    BOOST_TEST(with_claims(put("azp", JsonArray{"consentgate"})) == "azp");
    auto nobody = sample_signing_provider();
    nobody.client_id.clear();
    BOOST_TEST(with_claims(put("aud", ""), expected(), nobody) == "aud");
}

BOOST_AUTO_TEST_CASE(
    a_token_belongs_to_the_sign_in_that_asked_for_it, *label("SI41") * label("SA7")) {
    ExpectedIdToken other_tab{.nonce_hash = sha256("the other tab's")};
    BOOST_TEST(with_claims(keep()) == "ok");
    BOOST_TEST(with_claims(put("nonce", "the other tab's"), other_tab) == "ok");
    BOOST_TEST(with_claims(keep(), other_tab) == "nonce"); // as a token does that comes again
    BOOST_TEST(with_claims(drop("nonce")) == "nonce");
    BOOST_TEST(with_claims(put("nonce", "")) == "nonce");
    BOOST_TEST(with_claims(put("nonce", "A nonce")) == "nonce");
    BOOST_TEST(with_claims(put("nonce", 5)) == "nonce");
    BOOST_TEST(with_claims(put("nonce", sha256("a nonce").hex)) == "nonce");
    BOOST_TEST(with_claims(put("nonce", ""), ExpectedIdToken{}) == "nonce"); // a row without one
    BOOST_TEST(with_claims(drop("nonce"), ExpectedIdToken{}) == "nonce");
    // No browser was sent anywhere when a person is asked about.
    ExpectedIdToken renewed;
    renewed.of_refresh = true;
    BOOST_TEST(with_claims(drop("nonce"), renewed) == "ok");
}

BOOST_AUTO_TEST_CASE(a_token_names_the_access_token_beside_it_or_none, *label("SI41")) {
    auto wanted = expected();
    // spec: OpenID Connect Core A.3
    wanted.access_token = Secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    BOOST_TEST(with_claims(put("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"), wanted) == "ok");
    BOOST_TEST(with_claims(keep(), wanted) == "ok");
    BOOST_TEST(with_claims(put("at_hash", "77QmUPtjPfzWtF2AnpK9RA"), wanted) == "at_hash");
    BOOST_TEST(with_claims(put("at_hash", ""), wanted) == "at_hash");
    BOOST_TEST(with_claims(put("at_hash", nullptr), wanted) == "at_hash");
    const auto half = to_base64url(left_half_of_digest(*signature_algorithm("ES384"), "t"));
    BOOST_TEST(from_base64(half, Base64::url)->size() == 24U);
}

BOOST_AUTO_TEST_CASE(a_subject_is_visible_ascii_of_bounded_length, *label("SI41")) {
    BOOST_TEST(with_claims(put("sub", std::string(255, 'a'))) == "ok");
    BOOST_TEST(with_claims(put("sub", "auth0|5f7c8ec7c33c6c004bbafe82")) == "ok");
    BOOST_TEST(with_claims(put("sub", std::string(256, 'a'))) == "sub");
    for (const auto* subject : {"", "a b", "a\nb", "a\x7f", "\u00e4"})
        BOOST_TEST_CONTEXT(subject) BOOST_TEST(with_claims(put("sub", subject)) == "sub");
    BOOST_TEST(with_claims(put("sub", 12)) == "sub");
    BOOST_TEST(with_claims(drop("sub")) == "sub");
    BOOST_TEST(with_claims(put("sid", std::string(255, 's'))) == "ok");
    BOOST_TEST(with_claims(put("sid", std::string(256, 's'))) == "sid");
}

BOOST_AUTO_TEST_CASE(clocks_may_differ_by_two_minutes_and_no_more, *label("SI42") * label("SA9")) {
    for (const int skew : {-60, 0, 60}) {
        BOOST_TEST_CONTEXT(skew) {
            BOOST_TEST(with_claims(at("exp", skew)) == "ok");
            BOOST_TEST(with_claims(at("iat", skew)) == "ok");
            BOOST_TEST(with_claims(at("nbf", skew)) == "ok");
        }
    }
    BOOST_TEST(with_claims(at("exp", -119)) == "ok");
    BOOST_TEST(with_claims(at("exp", -120)) == "exp");
    BOOST_TEST(with_claims(at("exp", -600)) == "exp");
    BOOST_TEST(with_claims(at("iat", 120)) == "ok");
    BOOST_TEST(with_claims(at("iat", 121)) == "iat");
    BOOST_TEST(with_claims(at("iat", 3600)) == "iat");
    BOOST_TEST(with_claims(at("iat", -600)) == "ok"); // a page that was open for long
    BOOST_TEST(with_claims(at("nbf", 120)) == "ok");
    BOOST_TEST(with_claims(at("nbf", 121)) == "nbf");
    BOOST_TEST(with_claims(drop("exp")) == "exp");
    BOOST_TEST(with_claims(drop("iat")) == "iat");
    BOOST_TEST(with_claims(put("exp", std::to_string(epoch(noon) + 300))) == "exp");
    BOOST_TEST(with_claims(put("exp", true)) == "exp");
    BOOST_TEST(with_claims(put("exp", nullptr)) == "exp");
    BOOST_TEST(with_claims(put("exp", 1e300)) == "exp");
    BOOST_TEST(with_claims(put("exp", std::int64_t{1} << 62)) == "exp");
    BOOST_TEST(with_claims(put("iat", -1)) == "iat");
    BOOST_TEST(with_claims(put("nbf", "soon")) == "nbf");
}

BOOST_AUTO_TEST_CASE(the_log_says_by_how_much_the_clocks_differ, *label("SI42")) {
    const auto reason = [](const Edit& edit) {
        auto claims = sample_id_claims();
        edit(claims);
        return validate_id_token(
                   provider_ec().sign(token_header("ES256", "ec"), claims),
                   sample_signing_provider(), usual_keys(), expected(), noon)
            .error()
            .reason;
    };
    BOOST_TEST(reason(at("iat", 3600)) == "iat is 3600 seconds ahead of our clock");
    BOOST_TEST(reason(at("exp", -601)) == "exp is 601 seconds behind our clock");
}

BOOST_AUTO_TEST_CASE(a_fresh_sign_in_that_was_asked_for_has_happened, *label("SI44")) {
    auto wanted = expected();
    wanted.max_age = 60;
    BOOST_TEST(with_claims(at("auth_time", 0), wanted) == "ok");
    BOOST_TEST(with_claims(at("auth_time", -180), wanted) == "ok");
    BOOST_TEST(with_claims(at("auth_time", -181), wanted) == "auth_time");
    BOOST_TEST(with_claims(at("auth_time", 120), wanted) == "ok");
    BOOST_TEST(with_claims(at("auth_time", 121), wanted) == "auth_time");
    BOOST_TEST(with_claims(keep(), wanted) == "auth_time");
    BOOST_TEST(with_claims(put("auth_time", "now"), wanted) == "auth_time");
    wanted.max_age = 0;
    BOOST_TEST(with_claims(at("auth_time", -120), wanted) == "ok");
    BOOST_TEST(with_claims(at("auth_time", -121), wanted) == "auth_time");
    BOOST_TEST(with_claims(at("auth_time", -99999)) == "ok"); // nobody asked
    auto factors = expected();
    factors.acr = {"mfa", "phr"};
    BOOST_TEST(with_claims(put("acr", "phr"), factors) == "ok");
    BOOST_TEST(with_claims(put("acr", "pwd"), factors) == "acr");
    BOOST_TEST(with_claims(put("acr", JsonArray{"mfa"}), factors) == "acr");
    BOOST_TEST(with_claims(keep(), factors) == "acr");
    BOOST_TEST(with_claims(put("acr", "pwd")) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
