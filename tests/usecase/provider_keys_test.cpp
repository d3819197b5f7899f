// src/usecase/provider_keys.cpp: when a provider is asked for its keys, and how long those that are
// kept serve while it does not answer.
#include "consentgate/usecase/provider_keys.h"

#include "dependencies_fixture.h"
#include "tests/support/provider_signing.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr core::Span hour{3600};

class KeyHost final : public sys::HttpClient {
public:
    std::string published;
    bool away = false;
    int asked = 0;

    sys::HttpResponse send(const sys::HttpRequest&) override {
        ++asked;
        sys::HttpResponse answer;
        if (away) return answer;
        answer.answered = true;
        answer.status = 200;
        answer.body = core::Secret(published);
        answer.cache_control = "max-age=3600";
        return answer;
    }
};

struct Keys : DependenciesFixture {
    KeyHost host;
    core::IdentityProvider idp = sample_signing_provider();
    core::Instant expiry = noon + core::Span(100);

    Keys() {
        deps.web = &host;
        idp.title = "Corp";
        idp.authorization_endpoint = idp.token_endpoint = idp.issuer;
        idp.jwks_uri = idp.issuer + "/keys";
        idp.key_id = keyring.newest();
        idp.jwks = key_set({provider_ec().jwk("ec")});
        idp.jwks_expires_at = expiry;
        idp.created_at = noon;
        BOOST_REQUIRE((store->idps.put(idp) == store::Applied::yes));
        idp = *store->idps.find(idp.id);
        host.published = key_set({provider_rsa().jwk("rsa")});
    }

    static std::string token(const std::string& kid = "ec") {
        return provider_ec().sign(token_header("ES256", kid), sample_id_claims());
    }
    // out: the ids of the keys, or the code of the failure
    std::string keys_at(core::Instant now, const std::string& signed_token = token()) {
        const auto found =
            usecase::provider_keys_for(deps, *store->idps.find(idp.id), signed_token, now);
        if (!found) return code_of(found);
        std::string ids;
        for (const auto& key : found->keys) ids += key.id;
        return ids;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(keys_of_a_provider, Keys)

BOOST_AUTO_TEST_CASE(keys_are_asked_for_when_they_are_too_old, *label("SI43")) {
    BOOST_TEST(keys_at(expiry - core::Span(1)) == "ec");
    BOOST_TEST(host.asked == 0);
    BOOST_TEST(keys_at(expiry) == "rsa");
    BOOST_TEST(host.asked == 1);
    const auto kept = store->idps.find(idp.id);
    BOOST_TEST(kept->jwks == host.published);
    BOOST_TEST((kept->jwks_expires_at == expiry + hour));
    BOOST_TEST(kept->version == idp.version);
}

BOOST_AUTO_TEST_CASE(
    keys_that_are_too_old_serve_an_hour_more_while_their_host_is_away, *label("SI43")) {
    host.away = true;
    BOOST_TEST(keys_at(expiry) == "ec");
    BOOST_TEST(keys_at(expiry + hour - core::Span(1)) == "ec");
    BOOST_TEST(host.asked == 2); // an hour lies between the two
    BOOST_TEST(keys_at(expiry + hour) == "service_unavailable");
    BOOST_TEST(host.asked == 2); // a second does
    BOOST_TEST(keys_at(expiry + hour + core::Span(60)) == "service_unavailable");
    host.away = false;
    BOOST_TEST(keys_at(expiry + hour + core::Span(120)) == "rsa");
}

BOOST_AUTO_TEST_CASE(a_hundred_unknown_keys_ask_once_a_minute, *label("SI43") * label("SA26")) {
    for (int at = 0; at < 100; ++at)
        BOOST_TEST(keys_at(noon, token("made-up-" + std::to_string(at))) == "rsa");
    BOOST_TEST(host.asked == 1);
    keys_at(noon + core::Span(59), token("one more"));
    BOOST_TEST(host.asked == 1);
    keys_at(noon + core::Span(60), token("one more"));
    BOOST_TEST(host.asked == 2);
}

// The kept ones would say that the token is false, although nobody knows.
BOOST_AUTO_TEST_CASE(
    a_token_whose_key_cannot_be_fetched_is_not_called_false, *label("SI43") * label("SI33")) {
    host.away = true;
    BOOST_TEST(keys_at(noon, token("new")) == "service_unavailable");
    BOOST_TEST(keys_at(noon + core::Span(1), token("made up")) == "ec"); // nobody was asked
    BOOST_TEST(keys_at(noon + core::Span(2)) == "ec");
    BOOST_TEST(host.asked == 1);
}

// Whoever could ask without having written so would ask as often as somebody makes up a key.
BOOST_AUTO_TEST_CASE(where_the_right_to_ask_cannot_be_written_nobody_is_asked, *label("SI43")) {
    auto broken = config;
    broken.before_statement = [](std::string_view sql) {
        if (sql.starts_with("UPDATE idp")) throw std::runtime_error("not now");
    };
    const auto store_in_need = store::open_store(broken);
    auto& worker = with(*store_in_need);
    worker.web = &host;
    const auto row = *store->idps.find(idp.id);
    BOOST_CHECK_THROW(
        usecase::provider_keys_for(worker, row, token("unknown"), noon), store::StoreFailure);
    BOOST_TEST(host.asked == 0);
    // A person whose token needs no newer ones goes on.
    BOOST_TEST(bool(usecase::provider_keys_for(worker, row, token(), noon)));
}

BOOST_AUTO_TEST_SUITE_END()
