#include "consentgate/core/signin/provider_metadata.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/public_key.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* sso = "https://sso.example.org/realms/staff";

JsonObject document() {
    JsonObject all;
    all.set("issuer", sso);
    all.set("authorization_endpoint", "https://sso.example.org/auth");
    all.set("token_endpoint", "https://sso.example.org/token");
    all.set("jwks_uri", "https://keys.example.net/jwks"); // on another host, as Google's
    all.set("response_types_supported", JsonArray{"code", "id_token"});
    all.set("id_token_signing_alg_values_supported", JsonArray{"HS256", "RS256", "ES256"});
    return all;
}

Result<ProviderMetadata> read(const JsonObject& from, const std::string& issuer = sso) {
    return read_provider_metadata(json_string(from), issuer);
}
std::string refusal(const JsonObject& from, const std::string& issuer = sso) {
    const auto metadata = read(from, issuer);
    return metadata ? "ok" : metadata.error().message;
}
JsonObject with(const std::string& name, Json value) {
    return document().set(name, std::move(value));
}

} // namespace

BOOST_AUTO_TEST_SUITE(provider_metadata)

BOOST_AUTO_TEST_CASE(the_document_is_where_the_issuer_says, *label("SI2")) {
    const std::string path = "/.well-known/openid-configuration";
    BOOST_TEST(provider_metadata_url(sso) == sso + path);
    BOOST_TEST(provider_metadata_url("https://t.auth0.com/") == "https://t.auth0.com" + path);
    BOOST_TEST(provider_metadata_url("https://a.example//") == "https://a.example/" + path);
    BOOST_TEST(
        provider_metadata_url("https://login.microsoftonline.com/{tenantid}/v2.0") ==
        "https://login.microsoftonline.com/organizations/v2.0" + path);
}

BOOST_AUTO_TEST_CASE(an_issuer_is_an_address_that_can_be_asked_safely, *label("SI2")) {
    const auto fits = [](const char* issuer) {
        return static_cast<bool>(check_provider_issuer(issuer));
    };
    for (const auto* issuer :
         {sso, "https://t.auth0.com/", "http://127.0.0.1:8080/realms/r", "http://localhost:1",
          "https://login.microsoftonline.com/{tenantid}/v2.0"})
        BOOST_TEST_CONTEXT(issuer) BOOST_TEST(fits(issuer));
    for (const auto* issuer :
         {"", "sso.example.org", "http://sso.example.org", "https://a@sso.example.org",
          "https://sso.example.org?x=1", "https://sso.example.org#x", "ftp://sso.example.org",
          "https://{tenantid}.example/{tenantid}"})
        BOOST_TEST_CONTEXT(issuer) BOOST_TEST(!fits(issuer));
}

BOOST_AUTO_TEST_CASE(a_document_is_read_with_what_it_offers, *label("SI3")) {
    auto all = document();
    all.set("userinfo_endpoint", "https://api.example.net/userinfo")
        .set("end_session_endpoint", "https://sso.example.org/logout")
        .set("scopes_supported", JsonArray{"openid", "groups"})
        .set("prompt_values_supported", JsonArray{"login", "select_account"})
        .set("acr_values_supported", JsonArray{"mfa"})
        .set("authorization_response_iss_parameter_supported", true)
        .set("code_challenge_methods_supported", JsonArray{"plain", "S256"})
        .set(
            "token_endpoint_auth_methods_supported",
            JsonArray{"tls", "client_secret_post", "client_secret_basic"})
        .set("backchannel_logout_supported", true);
    const auto metadata = read(all);
    BOOST_REQUIRE(static_cast<bool>(metadata));
    BOOST_TEST(metadata->issuer == sso);
    BOOST_TEST(metadata->authorization_endpoint == "https://sso.example.org/auth");
    BOOST_TEST(metadata->token_endpoint == "https://sso.example.org/token");
    BOOST_TEST(metadata->jwks_uri == "https://keys.example.net/jwks");
    BOOST_TEST(metadata->userinfo_endpoint == "https://api.example.net/userinfo");
    BOOST_TEST(metadata->end_session_endpoint == "https://sso.example.org/logout");
    BOOST_TEST(join(metadata->signing_algorithms, " ") == "RS256 ES256");
    BOOST_TEST(join(metadata->scopes, " ") == "openid groups");
    BOOST_TEST(join(metadata->prompts, " ") == "login select_account");
    BOOST_TEST(join(metadata->acr_values, " ") == "mfa");
    BOOST_TEST(metadata->sends_iss);
    BOOST_TEST(metadata->announces_s256);
    BOOST_TEST(metadata->sends_logout_tokens);
    BOOST_REQUIRE(metadata->auth_methods.size() == 2U);
    BOOST_TEST((metadata->auth_methods[0] == ClientAuth::client_secret_basic));
    BOOST_TEST((metadata->auth_methods[1] == ClientAuth::client_secret_post));
}

BOOST_AUTO_TEST_CASE(a_silent_document_means_what_the_standard_says, *label("SI3")) {
    JsonObject least;
    const auto whole = document();
    for (const auto& member : whole.members())
        if (!member.name.ends_with("_supported")) least.set(member.name, member.value);
    const auto metadata = read(least);
    BOOST_REQUIRE(static_cast<bool>(metadata));
    BOOST_TEST(join(metadata->signing_algorithms, " ") == "RS256");
    BOOST_TEST((metadata->auth_methods == std::vector{ClientAuth::client_secret_basic}));
    BOOST_TEST(!metadata->announces_s256);
    BOOST_TEST(!metadata->sends_iss);
    BOOST_TEST(metadata->userinfo_endpoint.empty());
    // An odd endpoint that we can do without is none.
    BOOST_TEST(
        read(with("userinfo_endpoint", "http://sso.example.org/u"))->userinfo_endpoint.empty());
    BOOST_TEST(read(with("end_session_endpoint", 5))->end_session_endpoint.empty());
}

BOOST_AUTO_TEST_CASE(the_issuer_is_what_the_operator_gave_to_the_character, *label("SI2")) {
    BOOST_TEST(refusal(document()) == "ok");
    for (const auto* other :
         {"https://sso.example.org/realms/staff/", "https://SSO.example.org/realms/staff",
          "https://sso.example.org:443/realms/staff", "https://sso.example.org"}) {
        const auto message = refusal(document(), other);
        BOOST_TEST_CONTEXT(message) {
            BOOST_TEST(message.find(sso) != std::string::npos);
            BOOST_TEST(message.find(other) != std::string::npos);
        }
    }
    BOOST_TEST(refusal(with("issuer", nullptr)) != "ok");
    const std::string auth0 = "https://t.auth0.com/";
    BOOST_TEST(refusal(with("issuer", auth0), auth0) == "ok");
    BOOST_TEST(refusal(with("issuer", auth0), "https://t.auth0.com") != "ok");
    BOOST_TEST(refusal(with("issuer", "https://t.auth0.com"), auth0) != "ok");
    const std::string many = "https://login.microsoftonline.com/{tenantid}/v2.0";
    BOOST_TEST(refusal(with("issuer", many), many) == "ok");
}

BOOST_AUTO_TEST_CASE(a_document_without_what_we_need_is_refused_in_words, *label("SI3")) {
    for (const auto* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
        BOOST_TEST(refusal(with(name, nullptr)) == std::string("the document names no ") + name);
        BOOST_TEST(refusal(with(name, "http://sso.example.org/x")).starts_with(name));
        BOOST_TEST(refusal(with(name, "/relative")).starts_with(name));
        BOOST_TEST(refusal(with(name, "http://127.0.0.1:1/x")) == "ok");
    }
    BOOST_TEST(
        refusal(with("response_types_supported", JsonArray{"id_token"}))
            .find("no authorization codes") != std::string::npos);
    BOOST_TEST(
        refusal(with("grant_types_supported", JsonArray{"implicit"}))
            .find("grant_types_supported") != std::string::npos);
    BOOST_TEST(
        refusal(with("code_challenge_methods_supported", JsonArray{"plain"})).find("S256") !=
        std::string::npos);
    BOOST_TEST(refusal(with("code_challenge_methods_supported", JsonArray())) == "ok");
    BOOST_TEST(
        refusal(with("token_endpoint_auth_methods_supported", JsonArray{"tls_client_auth"}))
            .find("client authentication") != std::string::npos);
    const auto* algorithms = "id_token_signing_alg_values_supported";
    BOOST_TEST(
        refusal(with(algorithms, JsonArray{"HS256"})) ==
        "its ID tokens are signed with the client secret: choose a signing key there");
    BOOST_TEST(
        refusal(with(algorithms, JsonArray{"none", "ES256K"})).find("ES384") != std::string::npos);
    BOOST_TEST(refusal(with(algorithms, JsonArray{"none", "EdDSA"})) == "ok");
    for (const auto* text : {"", "[]", "<html>", "{\"issuer\":"})
        BOOST_TEST(!read_provider_metadata(text, sso));
}

BOOST_AUTO_TEST_SUITE_END()
