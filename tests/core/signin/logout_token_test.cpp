#include "consentgate/core/signin/logout_token.h"

#include "tests/support/provider_signing.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* event = "http://schemas.openid.net/event/backchannel-logout";

JsonObject claims() {
    JsonObject all;
    all.set("iss", "https://sso.example.org/realms/staff").set("aud", "consentgate");
    all.set("iat", epoch(noon)).set("exp", epoch(noon) + 120).set("jti", "j1").set("sid", "s1");
    all.set("sub", "anna-1").set("events", JsonObject().set(event, JsonObject()));
    return all;
}
JsonObject with(const std::string& name, Json value) {
    return claims().set(name, std::move(value));
}
JsonObject without(const std::vector<std::string>& names, const JsonObject& from = claims()) {
    JsonObject rest;
    for (const auto& member : from.members())
        if (std::find(names.begin(), names.end(), member.name) == names.end())
            rest.set(member.name, member.value);
    return rest;
}

ProviderKeys keys() { return keys_of({provider_rsa().jwk("a")}); }

Result<LogoutToken> read(const std::string& token) {
    return validate_logout_token(token, sample_signing_provider(), keys(), noon);
}
std::string wrong(const JsonObject& said, JsonObject header = token_header("RS256", "a")) {
    const auto token = read(provider_rsa().sign(header, said, "RS256"));
    if (token) return "ok";
    BOOST_TEST((token.error().code == ErrorCode::invalid_request));
    return token.error().param;
}
std::string of_type(Json type) {
    return wrong(claims(), token_header("RS256", "a").set("typ", std::move(type)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(logout_token)

BOOST_AUTO_TEST_CASE(a_logout_token_names_a_person_or_a_sign_in, *label("SI60")) {
    const auto both = read(provider_rsa().sign(token_header("RS256", "a"), claims()));
    BOOST_REQUIRE(static_cast<bool>(both));
    BOOST_TEST(both->issuer == "https://sso.example.org/realms/staff");
    BOOST_TEST(both->subject == "anna-1");
    BOOST_TEST(both->sid == "s1");
    BOOST_TEST((both->issued_at == noon));
    BOOST_TEST(wrong(without({"sid"})) == "ok");
    BOOST_TEST(wrong(without({"sub"})) == "ok");
    BOOST_TEST(wrong(without({"sub", "sid"})) == "sub");
    BOOST_TEST(wrong(with("sub", "")) == "sub");
    BOOST_TEST(wrong(with("sid", "")) == "sid");
    BOOST_TEST(wrong(with("sid", std::string(256, 's'))) == "sid");
    BOOST_TEST(wrong(with("events", JsonObject().set(event, JsonObject().set("x", 1)))) == "ok");
}

BOOST_AUTO_TEST_CASE(other_tokens_end_nothing, *label("SA24") * label("SI60")) {
    BOOST_TEST(wrong(claims()) == "ok");
    for (const auto* type : {"JWT", "logout+jwt", "Logout+JWT"}) BOOST_TEST(of_type(type) == "ok");
    BOOST_TEST(wrong(sample_id_claims()) == "events"); // an ID token
    BOOST_TEST(wrong(with("nonce", "a nonce")) == "nonce");
    BOOST_TEST(wrong(with("nonce", nullptr)) == "nonce");
    BOOST_TEST(wrong(without({"events"})) == "events");
    BOOST_TEST(wrong(with("events", event)) == "events");
    BOOST_TEST(wrong(with("events", JsonArray{event})) == "events");
    BOOST_TEST(wrong(with("events", JsonObject())) == "events");
    BOOST_TEST(wrong(with("events", JsonObject().set(event, true))) == "events");
    BOOST_TEST(wrong(with("aud", "other")) == "aud");
    BOOST_TEST(wrong(with("aud", JsonArray{"consentgate"})) == "ok");
    BOOST_TEST(wrong(with("iss", "https://b.example")) == "iss");
    BOOST_TEST(of_type("at+jwt") == "typ");
    BOOST_TEST(of_type("secevent+jwt") == "typ");
    const auto text = SigningKey::unsigned_token(token_header("none"), claims());
    BOOST_TEST(!read(text + "."));
    BOOST_TEST(!read(text + ".AAAA"));
    const auto mac = SigningKey::unsigned_token(token_header("HS256", "a"), claims());
    const auto secret = Secret(keys().keys.at(0).pem);
    BOOST_TEST(!read(mac + "." + to_base64url(hmac_sha256_bytes(secret, mac))));
    const auto other = SigningKey::rsa();
    BOOST_TEST(read(other.sign(token_header("RS256", "a"), claims())).error().param == "signature");
    BOOST_TEST(!read(std::string(1 << 20, 'x')));
    BOOST_TEST(wrong(with("x", std::string(60'000, 'x'))) == "token"); // longer in base64url
}

BOOST_AUTO_TEST_CASE(a_logout_token_is_young_and_has_a_name, *label("SI60") * label("SA24")) {
    const auto now = epoch(noon);
    const auto at = [&](std::int64_t seconds) {
        return without({"exp"}, with("iat", now + seconds));
    };
    BOOST_TEST(wrong(at(0)) == "ok"); // a draft had no exp
    BOOST_TEST(wrong(at(-600)) == "ok");
    BOOST_TEST(wrong(at(-601)) == "iat");
    BOOST_TEST(wrong(at(120)) == "ok");
    BOOST_TEST(wrong(at(121)) == "iat");
    BOOST_TEST(wrong(without({"iat"})) == "iat");
    BOOST_TEST(wrong(with("exp", now - 60)) == "ok");
    BOOST_TEST(wrong(with("exp", now - 120)) == "exp");
    BOOST_TEST(wrong(with("exp", "later")) == "exp");
    BOOST_TEST(wrong(with("jti", std::string(255, 'j'))) == "ok");
    BOOST_TEST(wrong(with("jti", std::string(256, 'j'))) == "jti");
    BOOST_TEST(wrong(with("jti", "")) == "jti");
    BOOST_TEST(wrong(with("jti", 5)) == "jti");
    BOOST_TEST(wrong(without({"jti"})) == "jti");
}

BOOST_AUTO_TEST_CASE(a_token_that_comes_again_is_known_while_it_would_be_believed, *label("SA25")) {
    const auto use = [](const JsonObject& said) {
        return *read(provider_rsa().sign(token_header("RS256", "a"), said));
    };
    BOOST_TEST((use(claims()).use == use(with("iat", epoch(noon) - 5)).use));
    BOOST_TEST(!(use(claims()).use == use(with("jti", "j2")).use));
    const auto token = use(with("iat", epoch(noon) - 5));
    const auto text = provider_rsa().sign(
        token_header("RS256", "a"), without({"exp"}, with("iat", epoch(noon) - 5)));
    const auto believed = [&](Instant at) {
        return static_cast<bool>(
            validate_logout_token(text, sample_signing_provider(), keys(), at));
    };
    BOOST_TEST(believed(token.forget_after - Span(1)));
    BOOST_TEST(!believed(token.forget_after));
}

BOOST_AUTO_TEST_SUITE_END()
