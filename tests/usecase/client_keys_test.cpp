// Clients whose public keys stand at an address: when they are fetched, how often, and what is used
// meanwhile.
#include "dependencies_fixture.h"

#include "consentgate/usecase/client_auth.h"
#include "tests/support/scripted_fetcher.h"
#include "tests/support/signing.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::Span;

namespace {

struct KeysFixture : DependenciesFixture {
    ScriptedFetcher fetcher;
    TestKey key = TestKey::ec();
    std::string published = named("one"); // what the host answers; empty: it is away
    core::Client client = sample_client();
    int jti = 0;

    KeysFixture() {
        policy.documents.accepted = true;
        client.id = core::ClientId("cgc_keyed");
        client.auth = core::ClientAuth::private_key_jwt;
        client.jwks_uri = "https://app.example/jwks";
        store->clients.put(client);
        fetcher.answer = [this](int) {
            return published.empty() ? sys::Fetched{.reason = "away"} : answered(published);
        };
        deps.documents = &fetcher;
    }

    std::string named(const std::string& kid) const {
        auto jwks = key.jwks();
        return jwks.insert(jwks.find("{\"crv\"") + 1, "\"kid\":\"" + kid + "\",");
    }

    std::string ask(const std::string& kid, core::Instant now) {
        Poco::JWT::Token token;
        if (!kid.empty()) token.header().set("kid", kid);
        token.payload()
            .set("iss", client.id.text)
            .set("sub", client.id.text)
            .set("aud", policy.issuer);
        token.payload().set("exp", core::epoch(now) + 60).set("jti", std::to_string(++jti));
        const auto form =
            Parameters{
                {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                {"client_assertion", key.sign(token, "ES256")}}
                .form();
        return code_of(
            usecase::authenticate_client(deps, web::read_credentials(form, std::nullopt), now));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(client_keys, KeysFixture)

BOOST_AUTO_TEST_CASE(
    keys_are_fetched_once_and_used_until_they_expire, *label("R38") * label("T11")) {
    for (int i = 0; i < 5; ++i) BOOST_TEST(ask(i % 2 ? "one" : "", noon + Span(i)) == "ok");
    BOOST_TEST(fetcher.asked == 1);
    BOOST_TEST(ask("one", noon + Span(600)) == "ok");
    BOOST_TEST(fetcher.asked == 2);
}

BOOST_AUTO_TEST_CASE(
    a_new_key_is_followed_at_once_and_many_unknown_ones_ask_once_a_minute,
    *label("RS10") * label("R38")) {
    BOOST_TEST(ask("one", noon) == "ok");
    key = TestKey::ec();
    published = named("two");
    BOOST_TEST(ask("two", noon + Span(1)) == "ok");
    BOOST_TEST(fetcher.asked == 2);
    key = TestKey::ec(); // whoever this is
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(ask("random" + std::to_string(i), noon + Span(2)) == "invalid_client");
    BOOST_TEST(fetcher.asked == 2);
    BOOST_TEST(ask("random", noon + Span(61)) == "invalid_client");
    BOOST_TEST(fetcher.asked == 3);
}

BOOST_AUTO_TEST_CASE(
    while_the_host_is_away_expired_keys_serve_an_hour_and_no_error_is_kept, *label("R38")) {
    published.clear();
    BOOST_TEST(ask("one", noon) == "service_unavailable");
    published = R"({"keys":[]})";
    BOOST_TEST(ask("one", noon) == "service_unavailable");
    published = named("one");
    BOOST_TEST(ask("one", noon) == "ok");
    published.clear();
    BOOST_TEST(ask("one", noon + Span(600 + 3599)) == "ok");
    BOOST_TEST(ask("one", noon + Span(600 + 3600)) == "service_unavailable");
    published = named("one");
    BOOST_TEST(ask("one", noon + Span(600 + 3600)) == "ok");
}

BOOST_AUTO_TEST_CASE(
    a_client_that_is_disabled_or_whose_host_is_denied_has_nobody_asked,
    *label("R38") * label("R37") * label("K26")) {
    policy.documents.denied_hosts = {"app.example"};
    BOOST_TEST(ask("one", noon) == "invalid_client");
    policy.documents = {};
    BOOST_TEST(ask("one", noon) == "invalid_client");
    policy.documents.accepted = true;
    store->clients.disable(client.id);
    BOOST_TEST(ask("one", noon) == "invalid_client");
    BOOST_TEST(fetcher.asked == 0);
}

BOOST_AUTO_TEST_SUITE_END()
