// Tests src/web/consent.cpp: after Allow and Deny a browser ends on a page that a person
// understands, and a program gets the redirect.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* own_kind = "cursor://anysphere.cursor-mcp/oauth/callback";
constexpr const char* hosted = "https://client.example/cb";
constexpr const char* loopback = "http://127.0.0.1:53111/callback";

// A person's browser in front of a client that waits at one address.
struct Person {
    TestServer server;
    Journey journey;

    explicit Person(const char* redirect_uri, core::Policy policy = sample_policy())
        : server(std::move(policy)), journey(server, {redirect_uri}) {
        journey.begin(sample_authorize().with("redirect_uri", redirect_uri));
    }

    web::Reply press(
        const std::string& action, const std::string& more = "",
        const std::optional<std::string>& mode = "navigate") {
        auto request = journey.form(action, more);
        request.fetch_mode = mode;
        request.accept = browser_accept;
        return server.ask(request);
    }
    std::string done() const { return "/oauth/consent/done?flow_id=" + journey.flow; }
    web::Reply see(core::Instant now = noon) {
        auto request = journey.page("/oauth/consent/done");
        request.now = now;
        return server.ask(request);
    }
    // The address of a Refresh header; empty when there is none, or it is not at once.
    static std::string goes_on_to(const web::Reply& reply) {
        const auto refresh = header_of(reply, "Refresh");
        return refresh.starts_with("0; url=") ? refresh.substr(7) : std::string();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(done)

BOOST_AUTO_TEST_CASE(
    finish_for_a_program_s_own_kind_of_address_ends_on_our_page_until_the_code_is_used,
    *label("XE2")) {
    Person person(own_kind);
    const auto pressed = person.press("submit");
    BOOST_TEST(pressed.status == 303);
    BOOST_TEST(location_of(pressed) == person.done());
    BOOST_TEST(pressed.body.empty());

    const auto page = person.see();
    BOOST_TEST(page.status == 200);
    BOOST_TEST(header_of(page, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(page, "Referrer-Policy") == "no-referrer");
    BOOST_TEST(holds(header_of(page, "Content-Security-Policy"), "default-src 'none'"));
    BOOST_TEST(holds(page.body, "You can go back to"));
    BOOST_TEST(holds(page.body, "Sample"));
    const auto address = person.goes_on_to(page);
    BOOST_TEST(address.starts_with(std::string(own_kind) + "?code="));
    BOOST_TEST(query_value(address, "state") == "a state");
    BOOST_TEST(query_value(address, "iss") == "https://auth.example.org");
    const auto code = query_value(address, "code");
    BOOST_TEST(holds(page.body, "href=\"" + std::string(own_kind) + "?code=" + code));
    BOOST_TEST(person.goes_on_to(person.see()) == address); // loaded again, it is the same code

    auto exchange = TestServer::post(
        "/api/oauth/per-user/token",
        sample_exchange().with("code", code).with("redirect_uri", own_kind).text());
    BOOST_TEST(person.server.ask(exchange).status == 200);
    const auto after = person.see();
    BOOST_TEST(after.status == 200);
    BOOST_TEST(header_of(after, "Refresh") == "(absent)");
    BOOST_TEST(!holds(after.body, code));
    BOOST_TEST(!holds(after.body, "cursor:"));
    BOOST_TEST(holds(after.body, "You can close this page"));
    BOOST_TEST(!holds(person.server.log, code));
}

BOOST_AUTO_TEST_CASE(a_code_that_is_over_is_not_given_again, *label("XE2")) {
    Person person(own_kind);
    BOOST_TEST(person.press("submit").status == 303);
    BOOST_TEST(!person.goes_on_to(person.see(noon + core::Span(299))).empty());
    const auto late = person.see(noon + core::Span(300));
    BOOST_TEST(late.status == 200);
    BOOST_TEST(header_of(late, "Refresh") == "(absent)");
    BOOST_TEST(!holds(late.body, "cursor:"));
}

BOOST_AUTO_TEST_CASE(
    deny_ends_on_our_page_too_and_its_address_holds_nothing_secret, *label("XE2") * label("A27")) {
    Person person(own_kind);
    const auto pressed = person.press("deny");
    BOOST_TEST(pressed.status == 303);
    BOOST_TEST(location_of(pressed) == person.done());
    const auto page = person.see();
    BOOST_TEST(page.status == 200);
    const auto address = person.goes_on_to(page);
    BOOST_TEST(address.starts_with(std::string(own_kind) + "?error=access_denied"));
    BOOST_TEST(query_value(address, "state") == "a state");
    BOOST_TEST(query_value(address, "iss") == "https://auth.example.org");
    BOOST_TEST(holds(page.body, "You said no"));
    BOOST_TEST(header_of(person.see(noon + core::Span(900)), "Refresh") == "(absent)");
    // It is over: no other page and no form of it works.
    BOOST_TEST(person.server.ask(person.journey.page("/oauth/consent")).status == 400);
    for (const auto* action : {"submit", "deny", "skip", "user-id"})
        BOOST_TEST(person.press(action, "&user_id=a").status == 400);
    BOOST_TEST(person.server.store->sessions.list(noon).empty());
}

BOOST_AUTO_TEST_CASE(
    programs_get_the_redirect_and_so_do_https_and_loopback, *label("XE2") * label("S2")) {
    for (const auto& mode :
         {std::optional<std::string>(), std::optional<std::string>("cors"),
          std::optional<std::string>("no-cors"), std::optional<std::string>("Navigate"),
          std::optional<std::string>("")}) {
        for (const auto* action : {"submit", "deny"}) {
            Person program(own_kind);
            const auto reply = program.press(action, "", mode);
            BOOST_TEST_CONTEXT(mode.value_or("-") << " " << action) {
                BOOST_TEST(reply.status == 302);
                BOOST_TEST(location_of(reply).starts_with(own_kind));
            }
        }
    }
    for (const auto* address : {hosted, loopback}) {
        for (const auto* action : {"submit", "deny"}) {
            Person person(address);
            const auto reply = person.press(action);
            BOOST_TEST(reply.status == 302);
            BOOST_TEST(location_of(reply).starts_with(address));
        }
    }
}

// The page where a key is typed lets its forms end on our own pages alone.
BOOST_AUTO_TEST_CASE(deny_of_page_1_goes_by_a_page_of_ours_to_any_client, *label("XE2")) {
    for (const auto* address : {hosted, loopback, own_kind}) {
        Person person(address);
        const auto first = person.server.ask(person.journey.page("/oauth/consent"));
        BOOST_TEST(holds(header_of(first, "Content-Security-Policy"), "form-action 'self';"));
        BOOST_TEST(holds(first.body, "name=\"from\" value=\"identity\""));
        const auto pressed = person.press("deny", "&from=identity", std::nullopt);
        BOOST_TEST(pressed.status == 303);
        BOOST_TEST(location_of(pressed) == person.done());
        BOOST_TEST(person.goes_on_to(person.see())
                       .starts_with(std::string(address) + "?error=access_denied"));
    }
    Person person(hosted);
    BOOST_TEST(person.press("deny", "&from=elsewhere").status == 302);
}

BOOST_AUTO_TEST_CASE(the_page_is_for_the_browser_that_finished_or_denied, *label("XE2")) {
    for (const auto* action : {"submit", "deny"}) {
        Person person(own_kind);
        person.press(action);
        for (const auto& cookie :
             {std::optional<std::string>(),
              std::optional("__Host-consentgate_browser=" + std::string(43, 'e'))}) {
            auto stranger = person.journey.page("/oauth/consent/done");
            stranger.cookie = cookie;
            const auto refused = person.server.ask(stranger);
            BOOST_TEST(refused.status == 403);
            BOOST_TEST(header_of(refused, "Refresh") == "(absent)");
            BOOST_TEST(!holds(refused.body, "cursor:"));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_open_flow_has_no_such_page_and_neither_has_an_unknown_one, *label("XE2")) {
    Person person(own_kind);
    BOOST_TEST(location_of(person.see()) == "/oauth/consent?flow_id=" + person.journey.flow);
    BOOST_TEST(person.see(noon + core::Span(900)).status == 410);
    BOOST_TEST(
        person.server.ask(TestServer::get("/oauth/consent/done?flow_id=" + std::string(22, 'x')))
            .status == 400);
    BOOST_TEST(person.server.ask(TestServer::get("/oauth/consent/done")).status == 400);
}

BOOST_AUTO_TEST_CASE(a_consent_that_is_given_again_ends_there_too, *label("XE2") * label("XA5")) {
    auto policy = sample_policy();
    policy.remember_consent = core::RememberConsent::always;
    Person person(own_kind, policy);
    person.server.store->virtual_keys.put(sample_virtual_key());
    person.press("vk", "&vk=sk-bf-sample");
    BOOST_TEST(person.press("submit").status == 303);
    person.journey.begin(sample_authorize().with("redirect_uri", own_kind));
    const auto again = person.press("reuse");
    BOOST_TEST(again.status == 303);
    BOOST_TEST(location_of(again) == person.done());
    BOOST_TEST(person.goes_on_to(person.see()).starts_with(std::string(own_kind) + "?code="));
}

// An admin's browser cannot make the code again: it gets the redirect.
BOOST_AUTO_TEST_CASE(an_admin_who_stands_in_gets_the_redirect, *label("XE2") * label("S4")) {
    Person person(own_kind);
    auto request = person.journey.form("submit");
    request.cookie.reset();
    request.fetch_mode = "navigate";
    request.authorization =
        "Bearer " + sign("{\"exp\":" + in_an_hour() + R"(,"role":"admin","sub":"root"})").reveal();
    const auto reply = person.server.ask(request);
    BOOST_TEST(reply.status == 302);
    BOOST_TEST(location_of(reply).starts_with(std::string(own_kind) + "?code="));
}

BOOST_AUTO_TEST_CASE(an_ended_session_gives_no_code_again, *label("XE2")) {
    Person person(own_kind);
    person.press("submit");
    const auto session = person.server.store->sessions.list(noon).front().session.id;
    person.server.store->sessions.revoke(session, noon);
    BOOST_TEST(header_of(person.see(), "Refresh") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_client_s_name_is_text_on_the_page, *label("XE2") * label("U6")) {
    for (const auto* action : {"submit", "deny"}) {
        Person person(own_kind);
        auto client = sample_client({own_kind});
        client.id = core::ClientId("cgc_hostile");
        client.name = "<b>Cursor</b>";
        person.server.store->clients.put(client);
        person.journey.begin(
            sample_authorize().with("client_id", "cgc_hostile").with("redirect_uri", own_kind));
        person.press(action);
        const auto page = person.see();
        BOOST_TEST(holds(page.body, "&lt;b&gt;Cursor"));
        BOOST_TEST(!holds(page.body, "<b>Cursor"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
