// Tests src/web/consent.cpp: a remembered consent is offered on one page, given by its button, and
// never by a link.
#include "tests/support/samples.h"
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* hosted = "https://client.example/cb";

core::Policy remembering(core::RememberConsent remember = core::RememberConsent::https) {
    auto policy = sample_policy();
    policy.remember_consent = remember;
    return policy;
}

Parameters hosted_request() { return sample_authorize().with("redirect_uri", hosted); }

// Anna, who consented to a hosted client once, with her key.
struct Anna {
    TestServer server;
    Journey journey;

    explicit Anna(core::Policy policy = remembering())
        : server(std::move(policy)), journey(server, {hosted}) {
        server.store->virtual_keys.put(sample_virtual_key());
        journey.begin(hosted_request());
        journey.send("vk", "&vk=sk-bf-sample");
        BOOST_REQUIRE(holds(location_of(journey.send("submit")), "code="));
    }

    // in: site  what her browser says of where the request came from; absent: an old browser
    std::string begin(
        const std::optional<std::string>& site = "none",
        const Parameters& query = hosted_request()) {
        auto request =
            TestServer::get(std::string("/api/oauth/per-user/authorize?") + query.text());
        request.cookie = journey.cookie;
        request.fetch_site = site;
        const auto location = location_of(server.ask(request));
        journey.flow = query_value(location, "flow_id");
        return location.substr(0, location.find('?'));
    }
    std::string remembered_page() {
        return server.ask(journey.page("/oauth/consent/remembered")).body;
    }
    std::size_t sessions() { return server.store->sessions.list(noon).size(); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(remembered)

BOOST_AUTO_TEST_CASE(
    an_earlier_consent_is_shown_and_given_again_by_its_button_alone,
    *label("XA5") * label("U7") * label("U9")) {
    Anna anna;
    BOOST_TEST(anna.begin() == "/oauth/consent/remembered");
    const auto page = anna.remembered_page();
    BOOST_TEST(holds(page, "Anna, laptop"));
    BOOST_TEST(holds(page, "Sample"));
    BOOST_TEST(holds(page, "Use the tools of this server as you"));
    BOOST_TEST(holds(page, "You let this app in on 2027-01-15"));
    BOOST_TEST(holds(page, "/oauth/consent?flow_id=" + anna.journey.flow)); // not me
    BOOST_TEST(anna.sessions() == 1U); // nothing was finished by looking
    const auto back = location_of(anna.journey.send("reuse"));
    BOOST_TEST(back.starts_with(hosted + std::string("?code=")));
    BOOST_TEST(anna.sessions() == 2U);
    BOOST_TEST(holds(anna.server.log, "by=remembered"));
}

BOOST_AUTO_TEST_CASE(who_is_led_by_a_page_is_asked_everything, *label("XA5")) {
    Anna anna;
    for (const auto& site :
         {std::optional<std::string>("cross-site"), std::optional<std::string>("same-site"),
          std::optional<std::string>("same-origin"), std::optional<std::string>("None"),
          std::optional<std::string>("")})
        BOOST_TEST_CONTEXT(*site) BOOST_TEST(anna.begin(site) == "/oauth/consent");
    BOOST_TEST(anna.begin(std::nullopt) == "/oauth/consent");
    BOOST_TEST(anna.begin("none", hosted_request().with("prompt", "consent")) == "/oauth/consent");
    BOOST_TEST(anna.sessions() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_remembered_unless_the_operator_wants_it, *label("XA5")) {
    Anna anna(sample_policy());
    BOOST_TEST(anna.begin() == "/oauth/consent");
    BOOST_TEST(
        location_of(anna.server.ask(anna.journey.page("/oauth/consent/remembered"))) ==
        "/oauth/consent?flow_id=" + anna.journey.flow);
    BOOST_TEST(
        location_of(anna.journey.send("reuse")) ==
        "/oauth/consent?flow_id=" + anna.journey.flow + "&error=identity_required");
    BOOST_TEST(anna.sessions() == 1U);
}

BOOST_AUTO_TEST_CASE(
    the_button_asks_again_whether_the_earlier_consent_stands, *label("XA5") * label("U7")) {
    const auto after = [](const char* what, auto&& change) {
        Anna anna;
        BOOST_TEST(anna.begin() == "/oauth/consent/remembered");
        change(anna);
        BOOST_TEST_CONTEXT(what) {
            BOOST_TEST(
                location_of(anna.journey.send("reuse")) ==
                "/oauth/consent?flow_id=" + anna.journey.flow + "&error=identity_required");
            BOOST_TEST(
                location_of(anna.server.ask(anna.journey.page("/oauth/consent/remembered"))) ==
                "/oauth/consent?flow_id=" + anna.journey.flow);
        }
    };
    after("the session was ended", [](Anna& anna) {
        anna.server.store->sessions.revoke(
            anna.server.store->sessions.list(noon).front().session.id, noon);
    });
    after("the key was disabled", [](Anna& anna) {
        anna.server.store->virtual_keys.disable(core::VirtualKeyId("vk_sample"), noon);
    });
    after("keys come in no longer", [](Anna& anna) {
        anna.server.policy.identities = {core::IdentityKind::user_id};
    });
    after("nothing is remembered any more", [](Anna& anna) {
        anna.server.policy.remember_consent = core::RememberConsent::never;
    });
}

BOOST_AUTO_TEST_CASE(the_button_works_for_its_browser_and_from_our_page_alone, *label("XA5")) {
    Anna anna;
    anna.begin();
    auto foreign = anna.journey.form("reuse");
    foreign.fetch_site = "cross-site";
    BOOST_TEST(error_of(anna.server.ask(foreign)) == "browser_mismatch");
    auto other = anna.journey.form("reuse");
    other.cookie = "__Host-consentgate_browser=" + std::string(43, 'x');
    BOOST_TEST(error_of(anna.server.ask(other)) == "browser_mismatch");
    auto get = anna.journey.form("reuse");
    get.method = "GET";
    BOOST_TEST(anna.server.ask(get).status == 405);
    BOOST_TEST(anna.sessions() == 1U);
}

BOOST_AUTO_TEST_CASE(pressed_twice_it_is_one_session_and_leads_on, *label("XA5") * label("U14")) {
    Anna anna;
    anna.begin();
    const auto first = location_of(anna.journey.send("reuse"));
    auto again = anna.journey.form("reuse");
    again.accept = browser_accept;
    const auto second = anna.server.ask(again);
    BOOST_TEST(second.status == 409);
    BOOST_TEST(holds(second.body, query_value(first, "code")));
    BOOST_TEST(anna.sessions() == 2U);
}

BOOST_AUTO_TEST_CASE(whoever_says_not_me_is_asked_who_they_are, *label("XA5")) {
    Anna anna;
    anna.begin();
    BOOST_TEST(anna.server.ask(anna.journey.page("/oauth/consent")).status == 200);
    anna.journey.send("user-id", "&user_id=ben");
    BOOST_TEST(holds(location_of(anna.journey.send("submit")), "code="));
    const auto views = anna.server.store->sessions.list(noon);
    BOOST_TEST(std::count_if(views.begin(), views.end(), [](const auto& view) {
                   return view.session.identity.value == "ben";
               }) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
