// Tests src/web/account_row.cpp, and what a person does with a linked account on page 2 and at
// /oauth/sessions.
#include "tests/support/town.h"

#include "consentgate/core/upstream/account_state.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using store::Applied;

namespace {

const core::ServiceId notion("notion");

// As a service that speaks OpenID tells who its person is.
std::string id_token_of(const std::string& sub, const std::string& email) {
    const auto claims =
        R"({"iss":"https://notion.example","sub":")" + sub + R"(","email":")" + email + "\"}";
    return R"(,"id_token":"e30.)" + core::to_base64url(claims) + R"(.c2ln")";
}

struct Home : Town {
    Home() {
        journey.begin();
        journey.send("skip");
    }

    web::Reply change(const std::string& word, const std::string& id = "notion") {
        return server.ask(own_form(
            "/api/oauth/per-user/upstream/change",
            "flow_id=" + journey.flow + "&mcp_client_id=" + id + "&change=" + word));
    }
    web::Request own_form(const std::string& path, const std::string& body) const {
        auto form = TestServer::post(path, body);
        form.cookie = journey.cookie;
        form.origin = "https://auth.example.org";
        form.accept = browser_accept;
        return form;
    }
    std::optional<core::LinkedAccount> account() {
        return server.store->accounts.find(
            core::Owner::of(core::FlowId(journey.flow)), core::ServiceId("notion"));
    }
    // As a refresh that failed leaves it.
    void fail(core::LinkedAccount account, core::UpstreamError error) {
        account.expires_at = noon - core::Span(1);
        server.store->accounts.claim_refresh(
            account.id, account.version, "lease", noon + core::Span(20), noon);
        server.store->accounts.save_refreshed(account, "lease", noon - core::Span(3600));
        ++account.version;
        server.store->accounts.claim_refresh(
            account.id, account.version, "lease", noon + core::Span(20), noon);
        BOOST_REQUIRE(
            (server.store->accounts.note_refresh_failure(
                 core::after_failure(
                     account,
                     {.error = error,
                      .reason = "status 400, the service's own words",
                      .cause = core::FailureCause::oauth_error},
                     noon),
                 "lease") == Applied::yes));
    }
    std::string sessions_page() { return server.ask(get("/oauth/sessions")).body; }
    web::Reply connect_from_sessions(const std::string& session, const std::string& word) {
        return server.ask(own_form(
            "/oauth/sessions/connect",
            "session_id=" + session + "&mcp_client_id=notion&change=" + word));
    }
    std::string session_of(const std::string& token) {
        return server.store->sessions.find(core::sha256(token))->session.id.text;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_pages, *label("S7"))

BOOST_AUTO_TEST_CASE(page_2_says_as_whom_and_since_when_an_account_is_connected) {
    Home home;
    home.service.more = id_token_of("1", "ada@example.org");
    home.connect("notion", "ada");
    const auto page = home.services_page();
    BOOST_TEST(holds(page, "Connected as ada@example.org"));
    BOOST_TEST(holds(page, "Since 2027-01-15 08:00 UTC"));
    for (const auto* offer : {"Connect again", "Another account", "Disconnect"})
        BOOST_TEST(holds(page, offer), offer);
    BOOST_TEST(!holds(page, "needs you"));
}

BOOST_AUTO_TEST_CASE(a_service_that_is_not_answering_and_an_account_that_needs_its_person_say_so) {
    Home home;
    home.connect("notion", "ada");
    home.fail(*home.account(), core::UpstreamError::unavailable);
    auto page = home.services_page();
    BOOST_TEST(holds(page, "not answering"));
    BOOST_TEST(!holds(page, "class=\"connected\""));
    BOOST_TEST(!holds(page, "the service&#39;s own words"));
    BOOST_TEST(!holds(page, "service's own words"));
    home.fail(*home.account(), core::UpstreamError::refused);
    page = home.services_page();
    BOOST_TEST(holds(page, "needs you"));
    BOOST_TEST(!holds(page, "not answering"));
    BOOST_TEST(!holds(page, "own words"));
    const auto token = home.token();
    const auto sessions = home.sessions_page();
    BOOST_TEST(holds(sessions, "needs you"));
    BOOST_TEST(holds(sessions, "Connect again"));
    BOOST_TEST(!holds(sessions, "own words"));
}

BOOST_AUTO_TEST_CASE(disconnecting_on_page_2_leaves_nothing_and_tells_the_service) {
    Home home;
    home.connect("notion", "ada");
    const auto before = home.account();
    const auto reply = home.change("end");
    BOOST_TEST(
        location_of(reply) ==
        "/oauth/consent/mcps?flow_id=" + home.journey.flow + "#service-notion");
    BOOST_TEST(home.service.revoked.size() == 2U);
    BOOST_TEST(!home.account().has_value());
    BOOST_TEST(!home.server.store->accounts.find(core::Owner::ended(before->id), notion));
    BOOST_TEST(holds(home.server.log, "what=account_disconnected"));
    BOOST_TEST(!holds(home.services_page(), "class=\"connected\""));
    BOOST_TEST(home.change("end").status == 302); // pressed twice
    BOOST_TEST(home.service.revoked.size() == 2U);
    BOOST_TEST(home.exchanged(home.token()) == "interaction_required");
}

BOOST_AUTO_TEST_CASE(another_account_takes_the_place_of_one_that_is_gone_before) {
    Home home;
    home.connect("notion", "ada");
    const auto begun = home.change("another");
    BOOST_TEST(location_of(begun).starts_with("https://notion.example/authorize?"));
    BOOST_TEST(home.service.revoked.size() == 2U);
    BOOST_TEST(!home.account().has_value());
    home.come_back(begun, "&code=ben");
    BOOST_TEST(home.service.revoked.size() == 2U); // none of the new one
    BOOST_TEST(home.exchanged(home.token()) == "access-ben");
}

BOOST_AUTO_TEST_CASE(connecting_again_keeps_the_account_until_there_is_a_new_one) {
    Home home;
    home.connect("notion", "ada");
    const auto begun = home.change("again");
    BOOST_TEST(home.account().has_value());
    home.come_back(begun, "&error=access_denied");
    BOOST_TEST(home.account().has_value());
    home.come_back(home.change("again"), "&code=ada2");
    BOOST_TEST(home.service.revoked.empty()); // it could end the new one too
    BOOST_TEST(home.exchanged(home.token()) == "access-ada2");
}

BOOST_AUTO_TEST_CASE(who_connects_again_as_somebody_else_has_the_former_account_revoked) {
    Home home;
    home.service.more = id_token_of("1", "ada@example.org");
    home.connect("notion", "ada");
    home.service.more = id_token_of("1", "ada@new.example");
    home.connect("notion", "ada2");
    BOOST_TEST(usecase::revoke_ended_accounts(home.server.deps, noon) == 0U);
    home.service.more = id_token_of("2", "ben@example.org");
    home.connect("notion", "ben");
    BOOST_TEST(usecase::revoke_ended_accounts(home.server.deps, noon) == 1U);
    BOOST_TEST(home.service.revoked.size() == 2U);
    BOOST_TEST(holds(home.service.revoked.back(), "access-ada2"));
    BOOST_TEST(holds(home.services_page(), "Connected as ben@example.org"));
    BOOST_TEST(!holds(home.services_page(), "ada@"));
    BOOST_TEST(home.exchanged(home.token()) == "access-ben");
}

BOOST_AUTO_TEST_CASE(a_change_is_the_person_s_own_and_has_one_of_three_words) {
    Home home;
    home.connect("notion", "ada");
    for (const auto* word : {"", "all", "END", "end&change=again", "end&mcp_client_id=github"})
        BOOST_TEST(home.change(word).status == 400, word);
    BOOST_TEST(home.change("end", "nothing").status == 404);
    auto form = home.own_form(
        "/api/oauth/per-user/upstream/change",
        "flow_id=" + home.journey.flow + "&mcp_client_id=notion&change=end");
    auto cross = form;
    cross.origin = "https://evil.example";
    BOOST_TEST(home.server.ask(cross).status == 403);
    auto foreign = form;
    foreign.cookie = home.server.context.cookie_name + "=" + std::string(43, 'x');
    BOOST_TEST(home.server.ask(foreign).status == 403);
    BOOST_TEST(home.account().has_value());
}

BOOST_AUTO_TEST_CASE(a_key_s_account_from_before_is_ended_with_that_of_the_sign_in) {
    Home home;
    home.server.store->virtual_keys.put(sample_virtual_key("sk-bf-a"));
    const auto sign_in = [&] {
        home.journey.begin();
        home.journey.send("vk", "&vk=sk-bf-a");
    };
    sign_in();
    home.connect("notion", "before");
    const auto token = home.token();
    sign_in();
    home.connect("notion", "now");
    home.change("end");
    BOOST_TEST(home.service.revoked.size() == 4U);
    BOOST_TEST(home.exchanged(token) == "interaction_required");
}

BOOST_AUTO_TEST_CASE(an_account_is_connected_again_from_the_sessions_page) {
    Home home;
    home.connect("notion", "ada");
    const auto token = home.token();
    const auto session = home.session_of(token);
    const auto back = home.come_back(home.connect_from_sessions(session, "again"), "&code=ada2");
    BOOST_TEST(holds(back.body, "Your account is connected"));
    BOOST_TEST(home.exchanged(token) == "access-ada2");
    BOOST_TEST(home.service.revoked.empty());
    home.come_back(home.connect_from_sessions(session, "another"), "&code=ben");
    BOOST_TEST(home.service.revoked.size() == 2U);
    BOOST_TEST(home.exchanged(token) == "access-ben");
    BOOST_TEST(location_of(home.connect_from_sessions(session, "end")) == "/oauth/sessions");
    BOOST_TEST(home.exchanged(token) == "interaction_required");
    BOOST_TEST(home.connect_from_sessions(session, "all").status == 400);
}

BOOST_AUTO_TEST_CASE(nobody_connects_for_the_session_of_another_browser_or_one_that_is_over) {
    Home home;
    home.connect("notion", "ada");
    const auto token = home.token();
    const auto session = home.session_of(token);
    const auto asked = [&](const std::string& word, const std::string& cookie) {
        auto form = home.own_form(
            "/oauth/sessions/connect",
            "session_id=" + session + "&mcp_client_id=notion&change=" + word);
        form.cookie = cookie;
        return home.server.ask(form);
    };
    const auto stranger = home.server.context.cookie_name + "=" + std::string(43, 'x');
    for (const auto* word : {"again", "another"})
        BOOST_TEST(asked(word, stranger).status == 404, word);
    BOOST_TEST(home.exchanged(token) == "access-ada");
    home.server.store->sessions.revoke(core::SessionId(session), noon);
    BOOST_TEST(asked("again", home.journey.cookie).status == 404);
}

BOOST_AUTO_TEST_CASE(a_monitor_reads_the_health_of_each_service, *label("XC13")) {
    Home home;
    const TempFolder folder;
    sys::Metrics metrics(folder.file("metrics"));
    home.server.deps.metrics = &metrics;
    home.connect("notion", "ada");
    home.token();
    home.service.fail = "invalid_grant";
    home.journey.begin();
    home.journey.send("skip");
    home.connect("github", "x");
    const auto text = home.server.ask(TestServer::get("/metrics")).body;
    for (const auto* line :
         {R"(consentgate_service_accounts{service="notion",state="connected"} 1)",
          R"(consentgate_service_accounts{service="notion",state="failing"} 0)",
          R"(consentgate_service_accounts{service="notion",state="needs_person"} 0)",
          R"(consentgate_service_accounts{service="github",state="connected"} 0)",
          R"(consentgate_service_last_success_timestamp_seconds{service="notion"} 1800000000)",
          R"(consentgate_service_failures_total{service="github",cause="oauth_error"} 1)"})
        BOOST_TEST(holds(text, line), line);
}

BOOST_AUTO_TEST_SUITE_END()
