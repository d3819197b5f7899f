// Tokens that a service refuses before their time is over: what the web server reports, and what a
// client or a resource server shows. spec: docs/requirements.md M3, M4, M7, M8
#include "connected_fixture.h"

#include "consentgate/core/upstream/account_doubt.h"
#include "consentgate/usecase/call_reports.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/usecase/upstream_tokens.h"
#include "tests/support/captured_log.h"
#include "tests/support/moving_clock.h"
#include "tests/support/scripted_service.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Town : ConnectedFixture {
    ScriptedService service;
    MovingClock standing{noon};
    sys::RecentCalls calls{folder.file("calls")};
    usecase::Dependencies& town = with(standing);
    core::Session session;

    bool connection_holds(const core::Session& of, core::Instant now) {
        return usecase::connection_holds(town, of, usecase::rights_of(town, of.identity, {}), now);
    }

    Town() {
        policy.resources.front().service = "notion";
        deps.web = town.web = &service;
        town.calls = &calls;
        session = connect_as("anna");
    }

    core::LinkedAccount account() { return account_of(session); }

    usecase::FreshToken token(core::Instant now = noon) {
        const auto fresh = usecase::fresh_upstream_token(town, session, sample_service(), now);
        BOOST_REQUIRE_EQUAL(code_of(fresh), "ok");
        return *fresh;
    }
    std::string refusal(core::Instant now = noon) {
        return code_of(usecase::fresh_upstream_token(town, session, sample_service(), now));
    }

    // The web server's line about a call that went on with this token.
    static std::string line(
        const std::string& call, const std::string& status,
        const std::string& challenge = "Bearer") {
        return R"({"call":")" + call + R"(","status":")" + status + R"(","challenge":")" +
               challenge + "\"}";
    }
    bool tell(
        const usecase::FreshToken& token, const std::string& status, core::Instant now = noon) {
        return usecase::note_call_report(
            town, line(core::call_id(token.called, keyring), status), now);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_doubts)

BOOST_FIXTURE_TEST_CASE(
    one_refresh_follows_a_refusal_however_often_it_is_reported, Town, *label("M3")) {
    const auto first = token();
    BOOST_TEST(first.access_token.reveal() == "access-anna");
    for (int times = 0; times < 20; ++times) BOOST_TEST(tell(first, "401"));
    BOOST_TEST(service.refreshed.empty()); // nobody needs the token yet
    const auto second = token();
    BOOST_TEST(second.access_token.reveal() == "access-refreshed-1");
    BOOST_TEST(second.called.version > first.called.version);
    tell(first, "401"); // of a call from before that took longer
    BOOST_TEST(token().access_token.reveal() == "access-refreshed-1");
    BOOST_TEST(service.refreshed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(other_answers_and_forged_lines_change_nothing, Town, *label("M3")) {
    const auto first = token();
    for (const auto* status : {"200", "403", "404", "500"}) BOOST_TEST(tell(first, status));
    const auto id = core::call_id(first.called, keyring);
    for (const auto& forged :
         {std::string("junk"), line("", "401"), line(id + "x", "401"),
          line(first.called.account + ".1.AAAAAAAAAAAAAAAAAAAAAA", "401")})
        BOOST_TEST(!usecase::note_call_report(town, forged, noon));
    BOOST_TEST(!account().doubted_at.has_value());
    BOOST_TEST((calls.last_report() == noon));
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_refuses_to_refresh_too_sends_the_person_to_connect_anew, Town, *label("M3")) {
    tell(token(), "401");
    service.fail = "invalid_grant";
    const CapturedLog captured;
    BOOST_TEST(refusal() == "interaction_required");
    BOOST_TEST(account().broken_at.has_value());
    BOOST_TEST(captured.text().find("what=connection_refused") != std::string::npos);
    BOOST_TEST(captured.text().find("service=notion") != std::string::npos);
    BOOST_TEST(!connection_holds(session, noon));
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_does_not_answer_leaves_the_token_which_may_be_good, Town, *label("M3")) {
    tell(token(), "401");
    service.away = true;
    BOOST_TEST(token().access_token.reveal() == "access-anna");
    BOOST_TEST(connection_holds(session, noon));
    BOOST_TEST(account().doubted_at.has_value());
    service.away = false;
    BOOST_TEST(token(noon + core::Span(60)).access_token.reveal() == "access-refreshed-1");
}

BOOST_FIXTURE_TEST_CASE(
    a_doubted_connection_is_refreshed_before_a_client_gets_a_new_token, Town, *label("M3")) {
    tell(token(), "401");
    BOOST_TEST(connection_holds(session, noon));
    BOOST_TEST(service.refreshed.size() == 1U);
    BOOST_TEST(!account().doubted_at.has_value());
    BOOST_TEST(connection_holds(session, noon));
    BOOST_TEST(service.refreshed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(
    a_client_that_comes_early_after_a_call_shows_what_nobody_reported, Town, *label("M4")) {
    const auto later = noon + core::Span(120);
    BOOST_TEST(connection_holds(session, later));
    BOOST_TEST(service.refreshed.empty()); // it did not call
    calls.note_call(session.id, later + core::Span(60), later);
    BOOST_TEST(connection_holds(session, later));
    BOOST_TEST(service.refreshed.size() == 1U);
    // Once a minute, however often it calls and comes.
    calls.note_call(session.id, later + core::Span(60), later);
    BOOST_TEST(connection_holds(session, later + core::Span(30)));
    BOOST_TEST(service.refreshed.size() == 1U);
    service.fail = "invalid_grant";
    const auto again = later + core::Span(120);
    calls.note_call(session.id, again + core::Span(60), again);
    BOOST_TEST(!connection_holds(session, again));
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_refuses_each_new_token_is_left_alone_for_ten_minutes, Town, *label("M7")) {
    for (int refused = 0; refused < 4; ++refused) tell(token(), "401");
    BOOST_TEST(service.refreshed.size() == 3U);
    BOOST_TEST(refusal() == "forbidden");
    BOOST_TEST(connection_holds(session, noon)); // the sign-in would not help
    BOOST_TEST(service.refreshed.size() == 3U);
    const auto after = noon + core::Span(600);
    BOOST_TEST(token(after).access_token.reveal() == "access-refreshed-4");
}

BOOST_FIXTURE_TEST_CASE(
    a_resource_server_that_names_the_refused_token_gets_another_one, Town, *label("M8")) {
    const auto hash = [](const std::string& token) {
        return core::to_base64url(core::sha256_bytes(token));
    };
    const auto asked = [&](const std::string& refused) {
        const auto fresh = usecase::fresh_upstream_token(
            town, session, sample_service(), noon, std::nullopt, hash(refused));
        return fresh ? fresh->access_token.reveal() : code_of(fresh);
    };
    BOOST_TEST(asked("another") == "access-anna");
    BOOST_TEST(service.refreshed.empty());
    for (int times = 0; times < 10; ++times)
        BOOST_TEST(asked("access-anna") == "access-refreshed-1");
    BOOST_TEST(service.refreshed.size() == 1U);
    service.fail = "invalid_grant";
    BOOST_TEST(asked("access-refreshed-1") == "interaction_required");
}

BOOST_AUTO_TEST_SUITE_END()
