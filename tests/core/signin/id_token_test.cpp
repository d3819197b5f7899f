#include "id_tokens.h"

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(id_token)

BOOST_AUTO_TEST_CASE(what_the_provider_says_of_a_sign_in_is_read, *label("SI37") * label("SI48")) {
    const auto claims = sample_id_claims()
                            .set("auth_time", static_cast<double>(epoch(noon)) - 9.5)
                            .set("acr", "mfa")
                            .set("sid", "s1")
                            .set("iat", epoch(noon) + 7)
                            .set("email", "anna@example.org");
    const auto proved = validate_id_token(
        provider_rsa().sign(token_header("RS256", "rsa"), claims), sample_signing_provider(),
        usual_keys(), expected(), noon);
    BOOST_REQUIRE(static_cast<bool>(proved));
    BOOST_TEST(proved->issuer == "https://sso.example.org/realms/staff");
    BOOST_TEST(proved->subject == "anna-1");
    BOOST_TEST((proved->issued_at == noon + Span(7)));
    BOOST_TEST((proved->authenticated_at == noon - Span(10))); // the second in which it fell
    BOOST_TEST(proved->acr == "mfa");
    BOOST_TEST(proved->sid == "s1");
    BOOST_TEST(proved->clock_ahead == 7);
    BOOST_TEST(proved->claims.text("email").value() == "anna@example.org");
}

BOOST_AUTO_TEST_CASE(an_unusual_token_that_breaks_no_rule_is_believed, *label("SI37")) {
    BOOST_TEST(with_claims(put("a member of theirs", JsonArray{1, 2})) == "ok");
    BOOST_TEST(with_claims(put("aud", JsonArray{"consentgate"})) == "ok");
    BOOST_TEST(with_claims(put("exp", static_cast<double>(epoch(noon)) + 60.25)) == "ok");
    BOOST_TEST(with_header(put("typ", "JWT")) == "ok");
    BOOST_TEST(with_header(put("typ", "jwt")) == "ok");
    BOOST_TEST(with_header(put("jku", "https://evil.test/keys")) == "ok"); // never fetched
    BOOST_TEST(with_header(put("x5u", "https://evil.test/keys")) == "ok");
}

BOOST_AUTO_TEST_CASE(a_header_that_asks_for_more_than_we_do_is_refused, *label("SI37")) {
    for (const auto* type : {"logout+jwt", "at+jwt", "", "JOSE"})
        BOOST_TEST_CONTEXT(type) BOOST_TEST(with_header(put("typ", type)) == "typ");
    BOOST_TEST(with_header(put("typ", 1)) == "typ");
    BOOST_TEST(with_header(put("crit", JsonArray{"exp"})) == "crit");
    BOOST_TEST(with_header(put("crit", nullptr)) == "crit");
    BOOST_TEST(with_header(drop("alg")) == "alg");
    BOOST_TEST(with_header(put("alg", "es256")) == "alg");
}

BOOST_AUTO_TEST_CASE(each_algorithm_verifies_with_its_own_kind_of_key, *label("SI38")) {
    const auto p384 = SigningKey::ec("P-384"), p521 = SigningKey::ec("P-521"),
               edwards = SigningKey::ed25519();
    const auto keys = keys_of(
        {provider_rsa().jwk("RSA"), provider_ec().jwk("P-256"), p384.jwk("P-384"),
         p521.jwk("P-521"), edwards.jwk("Ed25519")});
    BOOST_TEST(keys.keys.size() == 5U);
    const auto signer = [&](const SignatureAlgorithm& algorithm) -> const SigningKey& {
        return algorithm.kind == "RSA"      ? provider_rsa()
               : algorithm.kind == "OKP"    ? edwards
               : algorithm.curve == "P-256" ? provider_ec()
               : algorithm.curve == "P-384" ? p384
                                            : p521;
    };
    for (const auto& name : signature_algorithms()) {
        const auto& algorithm = *signature_algorithm(name);
        const auto kid = std::string(algorithm.curve.empty() ? algorithm.kind : algorithm.curve);
        const auto token = signer(algorithm).sign(token_header(name, kid), sample_id_claims());
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(verdict(token, sample_signing_provider(), keys) == "ok");
            auto others = sample_signing_provider(); // the row does not list it
            std::erase(others.signing_algorithms, name);
            BOOST_TEST(verdict(token, others, keys) == "alg");
            for (const auto& other : signature_algorithms()) {
                if (other == name) continue;
                const auto lied =
                    signer(algorithm).sign(token_header(other, kid), sample_id_claims(), name);
                BOOST_TEST_CONTEXT("called " + other)
                BOOST_TEST(verdict(lied, sample_signing_provider(), keys) == "signature");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_token_without_a_signature_of_the_provider_proves_nothing, *label("SA4")) {
    const auto good = provider_rsa().sign(token_header("RS256", "rsa"), sample_id_claims());
    const auto none = SigningKey::unsigned_token(token_header("none"), sample_id_claims());
    const auto check = [](const std::string& token) {
        return verdict(token, sample_signing_provider(), usual_keys());
    };
    BOOST_TEST(check(good) == "ok");
    BOOST_TEST(check(provider_ec().sign(token_header("ES256", "ec"), sample_id_claims())) == "ok");
    BOOST_TEST(check(none + ".") == "token");
    BOOST_TEST(check(none + ".AAAA") == "alg");
    BOOST_TEST(check(none) == "token");
    BOOST_TEST(check(good.substr(0, good.rfind('.') + 1)) == "token");
    BOOST_TEST(check(good.substr(0, good.rfind('.'))) == "token");
    BOOST_TEST(check(good + ".AAAA") == "token");
    BOOST_TEST(check(good.substr(0, good.size() - 4)) == "signature");
    BOOST_TEST(check(good + "=") == "token");
    BOOST_TEST(check("") == "token");
    BOOST_TEST(check("..") == "token");
    // Another payload under the signature of the first.
    const auto other = SigningKey::unsigned_token(
        token_header("RS256", "rsa"), sample_id_claims().set("sub", "ben"));
    BOOST_TEST(check(other + good.substr(good.rfind('.'))) == "signature");
}

BOOST_AUTO_TEST_CASE(no_shared_secret_signs_an_id_token, *label("SA5") * label("SI38")) {
    const auto mac = [](const std::string& secret) {
        const auto text =
            SigningKey::unsigned_token(token_header("HS256", "rsa"), sample_id_claims());
        return text + "." + to_base64url(hmac_sha256_bytes(Secret(secret), text));
    };
    auto provider = sample_signing_provider();
    provider.signing_algorithms.push_back("HS256"); // even if a row said so
    const auto keys = usual_keys();
    BOOST_TEST(verdict(mac(keys.keys.at(0).pem), provider, keys) == "alg");
    BOOST_TEST(verdict(mac("the client secret of 32 bytes...."), provider, keys) == "alg");
}

BOOST_AUTO_TEST_CASE(only_a_key_that_may_sign_so_verifies, *label("SA6") * label("SI43")) {
    const auto token = provider_rsa().sign(token_header("RS256", "a"), sample_id_claims());
    const auto check = [&](const std::vector<JsonObject>& keys) {
        return verdict(token, sample_signing_provider(), keys_of(keys));
    };
    const auto good = provider_rsa().jwk("a");
    BOOST_TEST(check({good}) == "ok");
    BOOST_TEST(check({JsonObject(good).set("use", "sig")}) == "ok");
    BOOST_TEST(check({JsonObject(good).set("alg", "RS256")}) == "ok");
    BOOST_TEST(check({JsonObject(good).set("use", "enc")}) == "signature");
    BOOST_TEST(check({JsonObject(good).set("alg", "RSA-OAEP")}) == "signature");
    BOOST_TEST(check({JsonObject(good).set("alg", "PS256")}) == "signature");
    BOOST_TEST(check({JsonObject(good).set("key_ops", JsonArray{"encrypt"})}) == "signature");
    BOOST_TEST(check({provider_ec().jwk("a")}) == "signature");
    const auto short_key = SigningKey::rsa(1024);
    const auto weak = short_key.sign(token_header("RS256", "w"), sample_id_claims());
    BOOST_TEST(
        verdict(weak, sample_signing_provider(), keys_of({good, short_key.jwk("w")})) ==
        "signature");
    // All of them beside the good one.
    BOOST_TEST(
        check(
            {JsonObject(good).set("use", "enc").set("kid", "e"), provider_ec().jwk("a"),
             short_key.jwk("a"), good}) == "ok");
    // A key that the token brings itself.
    const auto own = SigningKey::rsa();
    for (const auto* kid : {"mine", "a", ""}) {
        const auto header =
            token_header("RS256", kid).set("jwk", own.jwk("mine")).set("jku", "https://evil.test");
        BOOST_TEST_CONTEXT(kid)
        BOOST_TEST(
            verdict(
                own.sign(header, sample_id_claims()), sample_signing_provider(), keys_of({good})) ==
            "signature");
    }
}

BOOST_AUTO_TEST_CASE(a_token_without_a_key_id_is_tried_with_few_keys, *label("SI43")) {
    const auto key = SigningKey::ec("P-256");
    const auto token = key.sign(token_header("ES256"), sample_id_claims());
    std::vector<JsonObject> others(7, provider_ec().jwk("a"));
    others.insert(others.begin(), provider_rsa().jwk("r")); // does not fit, so is not counted
    const auto with = [&](std::vector<JsonObject> keys) {
        keys.push_back(key.jwk("b"));
        return verdict(token, sample_signing_provider(), keys_of(keys));
    };
    BOOST_TEST(with({}) == "ok");
    BOOST_TEST(with(others) == "ok"); // the eighth
    others.push_back(provider_ec().jwk("c"));
    BOOST_TEST(with(others) == "signature");
}

BOOST_AUTO_TEST_CASE(newer_keys_are_wanted_where_they_could_help, *label("SI43")) {
    const auto wants = [](const std::string& token, const ProviderKeys& keys) {
        return needs_newer_keys(token, sample_signing_provider(), keys);
    };
    const auto key = SigningKey::ec("P-256");
    const auto named = key.sign(token_header("ES256", "new"), sample_id_claims());
    const auto unnamed = key.sign(token_header("ES256"), sample_id_claims());
    BOOST_TEST(wants(named, usual_keys()));
    BOOST_TEST(!wants(named, keys_of({key.jwk("new")})));
    BOOST_TEST(wants(named, keys_of({provider_rsa().jwk("new")}))); // of another kind
    BOOST_TEST(wants(unnamed, usual_keys()));
    BOOST_TEST(!wants(unnamed, keys_of({provider_ec().jwk("ec"), key.jwk()})));
    const auto forged = key.sign(token_header("ES256", "ec"), sample_id_claims());
    BOOST_TEST(!wants(forged, usual_keys())); // the key is there, and has not signed it
    BOOST_TEST(
        !wants(key.sign(token_header("HS256", "x"), sample_id_claims(), "ES256"), usual_keys()));
    BOOST_TEST(!wants("a.b.c", usual_keys()));
}

BOOST_AUTO_TEST_CASE(
    what_is_too_much_is_refused_before_it_is_read, *label("SA23") * label("SI36")) {
    const auto check = [](const std::string& token) {
        return validate_id_token(token, sample_signing_provider(), usual_keys(), expected(), noon);
    };
    const auto filled = [](std::size_t bytes) {
        return provider_ec().sign(
            token_header("ES256", "ec"), sample_id_claims().set("x", std::string(bytes, 'x')));
    };
    BOOST_TEST(static_cast<bool>(check(filled(90'000))));
    BOOST_TEST(check(filled(1 << 20)).error().reason == "it is too long");
    BOOST_TEST(check(filled(100'000)).error().reason == "it is too long");
    std::string deep(10'000, '[');
    const auto nested = to_base64url(R"({"alg":"ES256"})") + "." +
                        to_base64url("{\"a\":" + deep + std::string(10'000, ']') + "}") + ".AAAA";
    BOOST_TEST(check(nested).error().reason == "a part of it cannot be read");
    BOOST_TEST(check("a.b.c.d.e").error().reason.starts_with("it is encrypted"));
}

BOOST_AUTO_TEST_SUITE_END()
