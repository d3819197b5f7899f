// Waiting for services: who waits, how long, what a failure means, and what is done ahead of need.
// The clock stands still but for what a case does with it.
#include "connected_fixture.h"

#include "consentgate/core/upstream/account_state.h"
#include "consentgate/usecase/upstream_refresh.h"
#include "consentgate/usecase/upstream_tokens.h"
#include "tests/support/moving_clock.h"
#include "tests/support/scripted_service.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using store::Applied;

namespace {

struct Standing : ConnectedFixture {
    MovingClock moving{noon};
    sys::ServiceRests rests;
    ScriptedService service;
    usecase::Dependencies& own = with(moving);
    core::Session session;

    Standing() {
        deps.web = own.web = &service;
        own.rests = &rests;
        session = connect_as("anna");
        service.asked = 0;
    }

    // As the gate does.
    core::Result<usecase::FreshToken> ask(const core::Session& who) {
        return usecase::fresh_upstream_token(own, who, sample_service(), moving.now());
    }
    core::Result<usecase::FreshToken> ask() { return ask(session); }

    void go_to(core::Span after_noon) { moving.move(noon + after_noon - moving.now()); }

    // Another worker begins to refresh. out: the account as it saw it
    core::LinkedAccount leased(const std::string& lease, core::Span time = core::Span(20)) {
        const auto account = account_of(session);
        const auto now = moving.now();
        BOOST_REQUIRE(
            (store->accounts.claim_refresh(account.id, account.version, lease, now + time, now) ==
             Applied::yes));
        return account;
    }

    // Two people whose tokens are over ask in turn, while the service lets the time run out.
    void hang(const core::Session& other, int times) {
        service.hangs = true;
        service.meanwhile = [&] { moving.move(core::Span(10)); };
        for (int i = 0; i < times; ++i) {
            BOOST_TEST(code_of(ask(i % 2 == 0 ? session : other)) == "service_unavailable");
            if (i + 1 < times) moving.move(core::Span(600)); // longer than any pause
        }
        service.meanwhile = [] {};
    }
};

void note_use(Standing& of, const core::Session& session, core::Span after_noon) {
    of.store->accounts.record_use(of.account_of(session).id, noon + after_noon);
}

} // namespace

BOOST_AUTO_TEST_SUITE(upstream_refresh)

BOOST_FIXTURE_TEST_CASE(
    a_pause_counts_from_the_failure_and_not_from_the_request, Standing, *label("XC4")) {
    go_to(core::Span(3600));
    service.hangs = true;
    service.meanwhile = [&] { moving.move(core::Span(10)); };
    const auto refused = ask();
    BOOST_TEST(code_of(refused) == "service_unavailable");
    BOOST_TEST(refused.error().retry_after_seconds() == 5);
    BOOST_TEST((account_of(session).retry_at == noon + core::Span(3615)));
    BOOST_TEST(account_of(session).failure == "no answer in time");
    BOOST_TEST((account_of(session).failure_cause == core::FailureCause::timeout));
    moving.move(core::Span(4));
    BOOST_TEST(code_of(ask()) == "service_unavailable");
    BOOST_TEST(service.asked == 1U);
    moving.move(core::Span(1));
    BOOST_TEST(ask().error().retry_after_seconds() == 10);
    BOOST_TEST(service.asked == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_service_that_says_when_is_believed, Standing, *label("XC4")) {
    go_to(core::Span(3600));
    service.status = 429;
    service.retry_after = 47;
    BOOST_TEST(ask().error().retry_after_seconds() == 47);
    moving.move(core::Span(46));
    BOOST_TEST(ask().error().retry_after_seconds() == 1);
    BOOST_TEST(service.asked == 1U);
    service.status = 0;
    moving.move(core::Span(1));
    BOOST_TEST(code_of(ask()) == "ok");
    BOOST_TEST(account_of(session).failure.empty());
}

BOOST_FIXTURE_TEST_CASE(
    who_waited_for_a_refresh_that_failed_fails_with_it_and_does_not_ask_again, Standing,
    *label("XC4")) {
    for (const auto pause : {core::Span(5), core::Span(0)}) {
        go_to(core::Span(3600 + pause.count() * 100));
        const auto account = leased("another's");
        auto failed = core::after_failure(account, {.reason = "status 503"}, moving.now());
        failed.retry_at = moving.now() + pause;
        bool noted = false;
        moving.while_waiting = [&] {
            if (std::exchange(noted, true)) return;
            store->accounts.note_refresh_failure(failed, "another's");
        };
        const auto refused = ask();
        BOOST_TEST(code_of(refused) == "service_unavailable");
        BOOST_TEST(refused.error().reason == "the last refresh failed: status 503");
        BOOST_TEST(service.asked == 0U);
        moving.while_waiting = [] {};
    }
}

BOOST_FIXTURE_TEST_CASE(who_waited_for_a_refusal_is_sent_to_connect_anew, Standing, *label("XC4")) {
    go_to(core::Span(3600));
    const auto account = leased("another's");
    moving.while_waiting = [&] {
        store->accounts.note_refresh_failure(
            core::after_failure(account, {.error = core::UpstreamError::refused}, moving.now()),
            "another's");
    };
    BOOST_TEST(code_of(ask()) == "interaction_required");
    BOOST_TEST(service.asked == 0U);
}

BOOST_FIXTURE_TEST_CASE(nobody_waits_longer_than_a_second_for_another, Standing, *label("XC4")) {
    go_to(core::Span(3600));
    leased("another's");
    const auto refused = ask();
    BOOST_TEST(code_of(refused) == "service_unavailable");
    BOOST_TEST(refused.error().retry_after_seconds() == 1);
    BOOST_TEST(moving.waited().count() <= 1000);
    BOOST_TEST(service.asked == 0U);
}

BOOST_FIXTURE_TEST_CASE(
    a_token_that_is_good_is_handed_out_while_another_refreshes_it, Standing, *label("XC3")) {
    go_to(core::Span(3590));
    leased("another's");
    BOOST_TEST(ask()->access_token.reveal() == "access-anna");
    BOOST_TEST(moving.waited().count() == 0);
    BOOST_TEST(service.asked == 0U);
}

BOOST_FIXTURE_TEST_CASE(
    a_lease_or_pause_that_a_jumped_clock_wrote_locks_nothing, Standing, *label("XC4")) {
    go_to(core::Span(3600));
    leased("of the future", core::Span(86400));
    BOOST_TEST(ask()->access_token.reveal() == "access-refreshed-1");
    go_to(core::Span(7200));
    auto paused = leased("one");
    paused.failures = 1;
    paused.retry_at = moving.now() + core::Span(86400);
    BOOST_REQUIRE((store->accounts.note_refresh_failure(paused, "one") == Applied::yes));
    BOOST_TEST(ask()->access_token.reveal() == "access-refreshed-2");
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_does_not_answer_rests_and_fresh_tokens_are_handed_out_meanwhile, Standing,
    *label("XC4")) {
    const auto other = connect_as("berta");
    service.expires_in = 86400;
    const auto third = connect_as("carla");
    service.asked = 0;
    go_to(core::Span(3600));
    hang(other, 5);
    const auto before = account_of(other);
    moving.move(core::Span(20)); // longer than the pause of either account
    const auto refused = ask(other);
    BOOST_TEST(code_of(refused) == "service_unavailable");
    BOOST_TEST(refused.error().retry_after_seconds() == 10);
    BOOST_TEST(service.asked == 5U);
    BOOST_TEST(account_of(other).version == before.version); // nothing is noted against it
    BOOST_TEST(code_of(ask(third)) == "ok");
    BOOST_TEST(service.asked == 5U);
}

BOOST_FIXTURE_TEST_CASE(
    a_token_that_is_due_is_handed_out_while_its_service_rests, Standing, *label("XC4")) {
    const auto other = connect_as("berta");
    service.expires_in = 3600 + 4 * 610 + 10 + 40; // 40 seconds after the last time-out
    const auto third = connect_as("carla");
    go_to(core::Span(3600));
    hang(other, 5);
    service.asked = 0;
    BOOST_REQUIRE((core::freshness_of(account_of(third), moving.now()) == core::Freshness::due));
    BOOST_TEST(code_of(ask(third)) == "ok");
    BOOST_TEST(service.asked == 0U);
}

BOOST_FIXTURE_TEST_CASE(
    after_the_rest_one_request_tries_and_decides_for_all, Standing, *label("XC4")) {
    const auto other = connect_as("berta");
    go_to(core::Span(3600));
    hang(other, 5);
    service.asked = 0;
    moving.move(core::Span(90)); // longer than the rest and both pauses
    // While the trial goes on, nobody else asks.
    std::optional<core::Result<usecase::FreshToken>> meanwhile;
    service.meanwhile = [&] {
        if (meanwhile) return;
        meanwhile.emplace(ask(other));
        moving.move(core::Span(10));
    };
    BOOST_TEST(code_of(ask()) == "service_unavailable");
    BOOST_TEST(code_of(*meanwhile) == "service_unavailable");
    BOOST_TEST(service.asked == 1U);
    // It ran out of time too: the next rest is twice as long.
    moving.move(core::Span(59));
    BOOST_TEST(code_of(ask(other)) == "service_unavailable");
    BOOST_TEST(service.asked == 1U);
    service.hangs = false;
    moving.move(core::Span(1));
    BOOST_TEST(ask(other)->access_token.reveal() == "access-refreshed-1");
    moving.move(core::Span(600));
    BOOST_TEST(ask()->access_token.reveal() == "access-refreshed-2");
}

BOOST_FIXTURE_TEST_CASE(
    a_callback_spends_neither_state_nor_code_while_the_service_rests, Standing, *label("XC4")) {
    const auto other = connect_as("berta");
    const auto flow = begin();
    const auto query = web::read_callback(form_of(sent_to_service(flow, "carla")));
    const auto come_back = [&] {
        return usecase::finish_connect(own, query, core::ServiceId("notion"), person, noon);
    };
    go_to(core::Span(3600));
    hang(other, 5);
    service.redeemed.clear();
    service.asked = 0;
    const auto refused = come_back();
    BOOST_TEST(code_of(refused) == "service_unavailable");
    BOOST_TEST(refused.error().retry_after_seconds() == 30);
    BOOST_TEST(service.asked == 0U);
    service.hangs = false;
    moving.move(core::Span(30));
    const auto done = come_back();
    BOOST_REQUIRE_EQUAL(code_of(done), "ok");
    BOOST_TEST((done->outcome == usecase::Connection::connected));
    BOOST_TEST(service.redeemed == std::vector<std::string>{"carla"});
    BOOST_TEST(code_of(come_back()) == "invalid_upstream_state");
}

BOOST_FIXTURE_TEST_CASE(
    time_outs_of_codes_count_too_and_one_person_alone_stops_nobody, Standing, *label("XC4")) {
    service.hangs = true;
    const auto come_back = [&](const char* answer, int times) {
        for (int i = 0; i < times; ++i) {
            const auto query = sent_to_service(begin(), "made up");
            BOOST_TEST(
                code_of(usecase::finish_connect(
                    own, web::read_callback(form_of(query)), core::ServiceId("notion"), person,
                    noon)) == answer);
        }
    };
    come_back("ok", 8);
    BOOST_TEST(service.asked == 8U);
    go_to(core::Span(3600));
    BOOST_TEST(code_of(ask()) == "service_unavailable"); // of another account: now it rests
    BOOST_TEST(service.asked == 9U);
    come_back("service_unavailable", 1);
    BOOST_TEST(service.asked == 9U);
}

BOOST_FIXTURE_TEST_CASE(
    idle_workers_refresh_what_was_used_lately_before_anybody_waits, Standing, *label("XC3")) {
    const auto unused = connect_as("berta");
    service.expires_in = 86400;
    const auto fresh = connect_as("carla");
    go_to(core::Span(3299));
    for (const auto& used : {session, fresh}) note_use(*this, used, core::Span(1000));
    service.asked = 0;
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 0U);
    moving.move(core::Span(1));
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 1U);
    BOOST_TEST(service.refreshed.size() == 1U);
    go_to(core::Span(3600));
    BOOST_TEST(ask()->access_token.reveal() == "access-refreshed-1");
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 0U);
    BOOST_TEST(service.asked == 1U);
    BOOST_TEST((account_of(session).expires_at == noon + core::Span(3300 + 86400)));
    BOOST_TEST((account_of(unused).expires_at == noon + core::Span(3600)));
}

BOOST_FIXTURE_TEST_CASE(
    what_another_worker_refreshes_is_left_to_it_and_never_refreshed_twice, Standing,
    *label("XC3")) {
    go_to(core::Span(3400));
    note_use(*this, session, core::Span(3399));
    // A second machine begins its turn while the service thinks.
    std::optional<std::size_t> twice;
    service.meanwhile = [&] {
        if (!twice) twice = usecase::refresh_ahead_of_need(own, moving.now());
    };
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 1U);
    BOOST_TEST(twice.value() == 0U);
    BOOST_TEST(service.refreshed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(
    a_turn_asks_a_service_that_fails_or_is_slow_once_and_ends_in_time, Standing, *label("XC3")) {
    std::vector<core::Session> people{session};
    for (const auto* name : {"berta", "carla", "dora", "emil"}) people.push_back(connect_as(name));
    go_to(core::Span(3400));
    for (const auto& one : people) note_use(*this, one, core::Span(3399));
    service.asked = 0;
    service.status = 503;
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 0U);
    BOOST_TEST(service.asked == 1U);
    service.status = 0;
    service.meanwhile = [&] { moving.move(core::Span(2)); };
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 1U);
    BOOST_TEST(service.asked == 2U);
    // A refusal is about one account alone.
    service.meanwhile = [] {};
    service.fail = "invalid_grant";
    BOOST_TEST(usecase::refresh_ahead_of_need(own, moving.now()) == 0U);
    BOOST_TEST(service.asked == 5U);
    BOOST_TEST(std::count_if(people.begin(), people.end(), [&](const auto& one) {
                   return account_of(one).broken_at.has_value();
               }) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
