// src/usecase/client_refusal.cpp, token_call.cpp and account_refresh.cpp: a service answers oddly,
// which concerns the account that asked, sometimes our registration, and the others there never.
// The clock stands still but for what a case does with it.
#include "connected_fixture.h"

#include "consentgate/core/upstream/account_state.h"
#include "consentgate/core/upstream/client_refusal.h"
#include "consentgate/usecase/upstream_tokens.h"
#include "tests/support/moving_clock.h"
#include "tests/support/scripted_service.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::AccountState;

namespace {

core::Service service_of(core::Registration registration) {
    auto service = sample_service();
    service.registration = registration;
    if (registration == core::Registration::dynamic)
        service.registration_endpoint = "https://notion.example/register";
    return service;
}

struct OddFixture : ConnectedFixture {
    MovingClock moving{noon};
    ScriptedService service;
    usecase::Dependencies& own = with(moving);
    core::Session session, other;

    explicit OddFixture(core::Registration registration = core::Registration::given)
        : ConnectedFixture(service_of(registration)) {
        deps.web = own.web = &service;
        session = connect_as("anna");
        other = connect_as("berta");
        moving.move(core::Span(3600)); // the tokens of both are over
        service.asked = 0;
    }

    core::Service stored() const { return *store->services.find(core::ServiceId("notion")); }

    // As the gate does.
    core::Result<usecase::FreshToken> ask(const core::Session& who) {
        return usecase::fresh_upstream_token(own, who, stored(), moving.now());
    }
    std::string said_to(const core::Session& who) { return code_of(ask(who)); }
    // After any pause of a failure.
    std::string said_later(const core::Session& who) {
        moving.move(core::Span(600));
        return said_to(who);
    }
    AccountState state(const core::Session& who) {
        return core::state_of(account_of(who), moving.now());
    }
    void answer_oddly(int times, const ScriptedService::Odd& odd) {
        for (int i = 0; i < times; ++i) service.odd.push_back(odd);
    }
};

struct RegisteredFixture : OddFixture {
    RegisteredFixture() : OddFixture(core::Registration::dynamic) { service.knows_us = false; }

    // A person presses Connect, and does not come back.
    void press_connect() {
        const auto flow = usecase::begin_authorize(
            own, web::read_authorization_request(sample_authorize().form()), *person.browser,
            moving.now());
        BOOST_REQUIRE(usecase::skip_identity(own, flow->id, person, moving.now()));
        BOOST_TEST(
            code_of(usecase::connect_in_flow(
                own, {flow->id, core::ServiceId("notion")}, person, moving.now())) == "ok");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(odd_services)

BOOST_FIXTURE_TEST_CASE(
    one_odd_answer_costs_a_pause_and_nothing_else, RegisteredFixture, *label("XC5")) {
    service.knows_us = true;
    for (const auto& odd : std::vector<ScriptedService::Odd>{
             {401, "<html>", "text/html"},
             {401, ""},
             {403, R"({"message":"Forbidden"})"},
             {408, ""},
             {425, ""},
             {429, ""},
             {503, R"({"error":"invalid_client"})"},
             {401, R"({"error":"invalid_client"})"},
             {400, R"({"error":"no_such_word"})"},
             {200, "<html>", "text/html"}}) {
        const auto before = stored().client_id;
        answer_oddly(1, odd);
        BOOST_TEST_CONTEXT(odd.status << ' ' << odd.body) {
            BOOST_TEST(said_to(session) == "service_unavailable");
            BOOST_TEST((state(session) == AccountState::resting));
            BOOST_TEST(said_to(other) == "ok");
            BOOST_TEST(said_later(session) == "ok");
            BOOST_TEST((state(session) == AccountState::connected));
            BOOST_TEST(stored().client_id == before);
            BOOST_TEST(service.registrations == 0);
        }
        moving.move(core::Span(3600));
    }
}

BOOST_FIXTURE_TEST_CASE(
    a_wall_before_a_service_that_stands_for_days_cuts_nobody_off, RegisteredFixture,
    *label("XC5")) {
    service.knows_us = true;
    answer_oddly(60, {401, "<html>", "text/html"});
    for (int hour = 0; hour < 30; ++hour) {
        moving.move(core::Span(3600));
        BOOST_TEST(said_to(session) == "service_unavailable");
        BOOST_TEST(said_to(other) == "service_unavailable");
    }
    BOOST_TEST(said_later(session) == "ok");
    BOOST_TEST(said_to(other) == "ok");
    BOOST_TEST(service.registrations == 0);
}

BOOST_FIXTURE_TEST_CASE(
    words_that_nobody_knows_lead_to_the_person_when_they_come_again, OddFixture, *label("XC6")) {
    answer_oddly(5, {400, R"({"error":"token_is_no_more"})"});
    for (int time = 1; time < 5; ++time) {
        BOOST_TEST(said_later(session) == "service_unavailable", time);
        BOOST_TEST((state(session) == AccountState::resting), time);
    }
    BOOST_TEST(said_later(session) == "interaction_required");
    BOOST_TEST((state(session) == AccountState::needs_person));
    BOOST_TEST((state(other) == AccountState::connected));
    BOOST_TEST(said_to(other) == "ok");
    BOOST_TEST(account_of(session).odd_refusals == 5);
}

BOOST_FIXTURE_TEST_CASE(
    what_is_said_for_an_hour_is_believed_at_the_second_time, OddFixture, *label("XC6")) {
    answer_oddly(2, {400, R"({"error":"token_is_no_more"})"});
    BOOST_TEST(said_to(session) == "service_unavailable");
    moving.move(core::Span(3600));
    BOOST_TEST(said_to(session) == "interaction_required");
}

BOOST_FIXTURE_TEST_CASE(a_success_forgets_odd_refusals, OddFixture, *label("XC6")) {
    for (int time = 0; time < 3; ++time) {
        answer_oddly(4, {400, R"({"error":"token_is_no_more"})"});
        for (int odd = 0; odd < 4; ++odd) BOOST_TEST(said_later(session) == "service_unavailable");
        BOOST_TEST(said_later(session) == "ok");
        BOOST_TEST(account_of(session).odd_refusals == 0);
        BOOST_TEST(!account_of(session).odd_since.has_value());
        moving.move(core::Span(3600));
    }
}

BOOST_FIXTURE_TEST_CASE(
    a_client_that_was_given_to_us_is_never_given_up, OddFixture, *label("XC5")) {
    service.knows_us = false;
    for (int hour = 0; hour < 30; ++hour) {
        moving.move(core::Span(3600));
        BOOST_TEST(said_to(session) == "service_unavailable");
        BOOST_TEST((state(session) == AccountState::resting));
    }
    service.knows_us = true;
    BOOST_TEST(said_later(session) == "ok");
    BOOST_TEST(said_to(other) == "ok");
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_forgot_us_is_believed_after_a_pause_and_a_question, RegisteredFixture,
    *label("XC5")) {
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST((stored().client_refused_at == moving.now()));
    moving.move(core::Span(59));
    BOOST_TEST(said_to(other) == "service_unavailable");
    BOOST_TEST(service.registrations == 0);
    BOOST_TEST(service.asked == 2U);
    moving.move(core::Span(1));
    BOOST_TEST(said_to(session) == "interaction_required");
    BOOST_TEST(service.registrations == 1);
    BOOST_TEST(stored().client_id == "anew-1");
    BOOST_TEST(!stored().client_refused_at.has_value());
    // It has been confirmed, so one refusal of the former client is enough for everybody else.
    moving.move(core::Span(5));
    BOOST_TEST(said_to(other) == "interaction_required");
    BOOST_TEST(service.registrations == 1);
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_knows_us_when_it_is_asked_again_is_not_registered_with, RegisteredFixture,
    *label("XC5")) {
    service.knows_us = true;
    answer_oddly(2, {401, R"({"error":"invalid_client"})"});
    BOOST_TEST(said_to(session) == "service_unavailable");
    moving.move(core::Span(60));
    BOOST_TEST(said_to(session) == "service_unavailable"); // and then the question is answered
    BOOST_TEST(service.registrations == 0);
    BOOST_TEST(!stored().client_refused_at.has_value());
    BOOST_TEST(account_of(session).odd_refusals == 1);
    BOOST_TEST(said_later(session) == "ok");
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_answers_well_meanwhile_is_doubted_anew, RegisteredFixture, *label("XC5")) {
    service.knows_us = true;
    answer_oddly(1, {401, R"({"error":"invalid_client"})"});
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST(said_to(other) == "ok");
    BOOST_TEST(!stored().client_refused_at.has_value());
    answer_oddly(1, {401, R"({"error":"invalid_client"})"});
    moving.move(core::Span(60));
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST((stored().client_refused_at == moving.now()));
}

BOOST_FIXTURE_TEST_CASE(
    a_registration_that_fails_is_tried_again_ten_minutes_later, RegisteredFixture, *label("XC5")) {
    service.registration_status = 503;
    BOOST_TEST(said_to(session) == "service_unavailable");
    moving.move(core::Span(60));
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST(service.registrations == 1);
    moving.move(core::Span(599));
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST(service.registrations == 1);
    service.registration_status = 201;
    moving.move(core::Span(600));
    BOOST_TEST(said_to(session) == "interaction_required");
    BOOST_TEST(service.registrations == 2);
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_forgets_every_client_is_registered_with_once_an_hour, RegisteredFixture,
    *label("XC5")) {
    // Every question is answered with invalid_client, also for the client of a moment ago.
    answer_oddly(1000, {401, R"({"error":"invalid_client"})"});
    std::vector<int> registrations;
    for (int minute = 0; minute <= 180; ++minute) {
        press_connect();
        const auto known = static_cast<int>(registrations.size());
        if (service.registrations > known) registrations.push_back(minute);
        moving.move(core::Span(60));
    }
    BOOST_REQUIRE(registrations.size() == 3U);
    BOOST_TEST(registrations[1] - registrations[0] >= 60);
    BOOST_TEST(registrations[2] - registrations[1] >= 60);
}

BOOST_FIXTURE_TEST_CASE(
    who_presses_connect_three_times_causes_no_registration, RegisteredFixture, *label("XC5")) {
    for (int time = 0; time < 3; ++time) press_connect();
    BOOST_TEST(service.registrations == 0);
    BOOST_TEST(stored().client_refused_at.has_value());
    // When it is true, the way leads on after the pause.
    moving.move(core::Span(60));
    press_connect();
    BOOST_TEST(service.registrations == 1);
    BOOST_TEST(stored().client_id == "anew-1");
}

BOOST_FIXTURE_TEST_CASE(
    strangers_with_invented_codes_cause_no_registration, RegisteredFixture, *label("XC5")) {
    service.knows_us = true;
    for (int time = 0; time < 5; ++time) {
        const auto query = web::read_callback(form_of(sent_to_service(begin(), "invented")));
        answer_oddly(1, {400, R"({"error":"invalid_grant"})"});
        const auto back =
            usecase::finish_connect(own, query, core::ServiceId("notion"), person, noon);
        BOOST_TEST(code_of(back) == "ok");
        moving.move(core::Span(60));
    }
    BOOST_TEST(service.registrations == 0);
    BOOST_TEST(!stored().client_refused_at.has_value());
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_refuses_resource_is_asked_without_it_and_remembered, OddFixture,
    *label("XC10")) {
    auto naming = stored();
    naming.resource = naming.url;
    BOOST_REQUIRE((store->services.update(naming) == store::Applied::yes));
    service.refuses_resource = true;
    BOOST_TEST(said_to(session) == "ok");
    BOOST_TEST(service.asked == 2U);
    BOOST_TEST(stored().resource_refused);
    BOOST_TEST(stored().resource == naming.url);
    BOOST_TEST(said_to(other) == "ok");
    BOOST_TEST(service.asked == 3U); // it is not sent any more
    // At redeeming, too.
    auto forgotten = stored();
    forgotten.resource_refused = false;
    BOOST_REQUIRE((store->services.update(forgotten) == store::Applied::yes));
    connect_as("carla");
    BOOST_TEST(stored().resource_refused);
}

BOOST_FIXTURE_TEST_CASE(
    a_refusal_that_is_not_about_resource_is_not_remembered_as_one, OddFixture, *label("XC10")) {
    auto naming = stored();
    naming.resource = naming.url;
    BOOST_REQUIRE((store->services.update(naming) == store::Applied::yes));
    answer_oddly(2, {400, R"({"error":"invalid_target"})"}); // with and without
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST(service.asked == 2U);
    BOOST_TEST(!stored().resource_refused);
    BOOST_TEST(account_of(session).odd_refusals == 1);
    // A service that is sent none is asked once.
    naming = stored();
    naming.resource.clear();
    BOOST_REQUIRE((store->services.update(naming) == store::Applied::yes));
    answer_oddly(1, {400, R"({"error":"invalid_target"})"});
    BOOST_TEST(said_to(other) == "service_unavailable");
    BOOST_TEST(service.asked == 3U);
}

BOOST_FIXTURE_TEST_CASE(
    a_rotated_refresh_token_is_used_although_its_access_token_was_no_good, OddFixture,
    *label("XC11")) {
    answer_oddly(1, {200, R"({"access_token":"two words","refresh_token":"rotated"})"});
    BOOST_TEST(said_to(session) == "service_unavailable");
    BOOST_TEST((state(session) == AccountState::resting));
    BOOST_TEST(account_of(session).failures == 1);
    answer_oddly(1, {200, R"({"access_token":"at","expires_in":60})"});
    BOOST_TEST(said_later(session) == "ok");
    BOOST_TEST(service.last_refresh == "rotated");
    BOOST_TEST((state(session) == AccountState::connected));
}

BOOST_FIXTURE_TEST_CASE(
    a_token_without_a_life_is_refreshed_after_an_hour, OddFixture, *label("XC7")) {
    answer_oddly(1, {201, R"({"access_token":"lasting","refresh_token":"r","expires_in":0})"});
    BOOST_TEST(ask(session)->access_token.reveal() == "lasting");
    BOOST_TEST(!account_of(session).expires_at.has_value());
    moving.move(core::Span(3599));
    service.asked = 0;
    BOOST_TEST(ask(session)->access_token.reveal() == "lasting");
    BOOST_TEST(service.asked == 0U);
    moving.move(core::Span(1));
    answer_oddly(1, {503, ""});
    BOOST_TEST(ask(session)->access_token.reveal() == "lasting"); // nobody knows that it is over
    BOOST_TEST(service.asked == 1U);
    moving.move(core::Span(5));
    answer_oddly(1, {200, R"({"access_token":"next"})"});
    BOOST_TEST(ask(session)->access_token.reveal() == "next");
}

BOOST_AUTO_TEST_SUITE_END()
