#include "consentgate/core/upstream/account_state.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

LinkedAccount sample_token(Span life = Span(3600)) {
    LinkedAccount token;
    token.id = "t";
    token.access_token = "a";
    token.refresh_token = "r";
    token.expires_at = noon + life;
    token.updated_at = noon;
    return token;
}

std::int64_t pause_said(std::optional<Span> retry_after) {
    const RefreshFailure failure{.reason = "status 429", .retry_after = retry_after};
    return (*after_failure(sample_token(), failure, noon).retry_at - noon).count();
}

} // namespace

BOOST_AUTO_TEST_SUITE(account_state)

BOOST_AUTO_TEST_CASE(a_token_is_refreshed_ahead_of_its_end_and_not_before, *label("S9")) {
    const auto at = [](Span after, Span life = Span(3600)) {
        return freshness_of(sample_token(life), noon + after);
    };
    BOOST_TEST((at(Span(3539)) == Freshness::fresh));
    BOOST_TEST((at(Span(3540)) == Freshness::due));
    BOOST_TEST((at(Span(3599)) == Freshness::due));
    BOOST_TEST((at(Span(3600)) == Freshness::over));
    BOOST_TEST((at(Span(7), Span(10)) == Freshness::fresh)); // of a short life a fifth
    BOOST_TEST((at(Span(8), Span(10)) == Freshness::due));
    auto token = sample_token();
    token.refresh_token.clear();
    BOOST_TEST((freshness_of(token, noon + Span(3599)) == Freshness::fresh));
    BOOST_TEST((freshness_of(token, noon + Span(3600)) == Freshness::broken));
    token = sample_token();
    token.broken_at = noon;
    BOOST_TEST((freshness_of(token, noon) == Freshness::broken));
}

BOOST_AUTO_TEST_CASE(
    a_token_whose_life_nobody_said_is_refreshed_after_an_hour_and_never_given_up, *label("XC7")) {
    auto token = sample_token();
    token.expires_at.reset();
    BOOST_TEST((freshness_of(token, noon + Span(3599)) == Freshness::fresh));
    BOOST_TEST((next_step(token, noon + Span(3599)) == AccountStep::hand_out));
    for (const auto after : {Span(3600), Span(400LL * 86400)}) {
        BOOST_TEST((freshness_of(token, noon + after) == Freshness::due));
        BOOST_TEST((next_step(token, noon + after) == AccountStep::refresh));
    }
    // The service is away: the token may be good all the same.
    const auto failed = after_failure(token, {.reason = "status 503"}, noon + Span(3600));
    BOOST_TEST((next_step(failed, noon + Span(3601)) == AccountStep::hand_out));
    // A token that cannot be refreshed is good until the service refuses it.
    auto final = token;
    final.refresh_token.clear();
    BOOST_TEST((freshness_of(final, noon + Span(400LL * 86400)) == Freshness::fresh));
    // A clock was set back, and rows of before have no time.
    BOOST_TEST((freshness_of(token, noon - Span(86400)) == Freshness::fresh));
    token.updated_at.reset();
    BOOST_TEST((freshness_of(token, noon + Span(86400)) == Freshness::fresh));
}

BOOST_AUTO_TEST_CASE(
    failures_pause_for_longer_each_time_and_a_refusal_ends_the_connection, *label("S9")) {
    auto token = sample_token();
    std::vector<std::int64_t> pauses;
    for (int failure = 0; failure < 9; ++failure) {
        token = after_failure(token, {.reason = "status 503"}, noon);
        pauses.push_back((*token.retry_at - noon).count());
    }
    const std::vector<std::int64_t> expected{5, 10, 20, 40, 80, 160, 320, 600, 600};
    BOOST_TEST(pauses == expected, boost::test_tools::per_element());
    BOOST_TEST(!token.broken_at.has_value());
    BOOST_TEST((after_failure(token, {.error = UpstreamError::refused}, noon).broken_at == noon));
}

BOOST_AUTO_TEST_CASE(what_a_service_says_about_when_is_believed_within_bounds, *label("XC4")) {
    BOOST_TEST(pause_said(Span(7)) == 7);
    BOOST_TEST(pause_said(Span(1800)) == 1800);
    BOOST_TEST(pause_said(Span(3601)) == 3600);
    BOOST_TEST(pause_said(Span::max()) == 3600);
    BOOST_TEST(pause_said(Span(0)) == 1);
    BOOST_TEST(pause_said(Span(-5)) == 1);
    BOOST_TEST(pause_said(std::nullopt) == 5);
    const auto pause_of_revocation = [](std::int64_t failures, std::optional<Span> said) {
        auto ended = sample_token();
        ended.ended_at = noon;
        ended.failures = failures;
        return (*after_failed_revocation(ended, said, noon)->retry_at - noon).count();
    };
    BOOST_TEST(pause_of_revocation(0, std::nullopt) == 30);
    BOOST_TEST(pause_of_revocation(0, Span(5)) == 30);
    BOOST_TEST(pause_of_revocation(0, Span(900)) == 900);
    BOOST_TEST(pause_of_revocation(0, Span::max()) == 3600);
    BOOST_TEST(pause_of_revocation(15, Span(900)) == 7200);
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_failure_stays_with_the_account, *label("XC4")) {
    const auto failed = after_failure(sample_token(), {.reason = "no answer in time"}, noon);
    BOOST_TEST(failed.failure == "no answer in time");
    BOOST_TEST(
        after_failure(sample_token(), {.reason = std::string(1000, 'x')}, noon).failure.size() ==
        128U);
}

BOOST_AUTO_TEST_CASE(a_call_knows_its_next_step_from_the_account_alone, *label("XC4")) {
    const auto step = [](Span after, Span lease, Span pause) {
        auto token = sample_token();
        token.lease_until = noon + after + lease;
        token.retry_at = noon + after + pause;
        return next_step(token, noon + after);
    };
    const Span none(0), some(5), fresh(0), due(3550), over(3600);
    for (const auto lease : {none, some}) {
        for (const auto pause : {none, some})
            BOOST_TEST((step(fresh, lease, pause) == AccountStep::hand_out));
    }
    // A token that is good is handed out, whoever refreshes it.
    BOOST_TEST((step(due, none, none) == AccountStep::refresh));
    BOOST_TEST((step(due, some, none) == AccountStep::hand_out));
    BOOST_TEST((step(due, none, some) == AccountStep::hand_out));
    BOOST_TEST((step(over, none, none) == AccountStep::refresh));
    BOOST_TEST((step(over, some, none) == AccountStep::wait));
    BOOST_TEST((step(over, some, some) == AccountStep::wait));
    BOOST_TEST((step(over, none, some) == AccountStep::pause));
    auto broken = sample_token();
    broken.broken_at = noon;
    BOOST_TEST((next_step(broken, noon) == AccountStep::connect_anew));
    auto final = sample_token();
    final.refresh_token.clear();
    BOOST_TEST((next_step(final, noon + over) == AccountStep::connect_anew));
}

BOOST_AUTO_TEST_CASE(no_clock_that_jumped_holds_an_account, *label("XC4")) {
    const auto at = noon + Span(3600);
    for (const auto jump : {Span(7201), Span(86400), Span(400LL * 86400)}) {
        auto token = sample_token();
        token.lease_until = at + jump;
        token.retry_at = at + jump;
        BOOST_TEST((next_step(token, at) == AccountStep::refresh));
        token.last_used_at = at;
        BOOST_TEST(is_refreshed_ahead(token, at));
    }
    auto token = sample_token();
    token.lease_until = at + longest_lease;
    BOOST_TEST((next_step(token, at) == AccountStep::wait));
    token.lease_until = at + longest_lease + Span(1);
    BOOST_TEST((next_step(token, at) == AccountStep::refresh));
    token.lease_until.reset();
    token.retry_at = at + longest_pause;
    BOOST_TEST((next_step(token, at) == AccountStep::pause));
    // Set forward, and back again.
    token = sample_token();
    token.lease_until = token.retry_at = noon - Span(86400);
    BOOST_TEST((next_step(token, at) == AccountStep::refresh));
}

BOOST_AUTO_TEST_CASE(tokens_in_use_are_refreshed_before_a_call_has_to_wait, *label("XC3")) {
    const auto ahead = [](Span left, Span life, Span used = Span(60)) {
        auto token = sample_token(life);
        const auto now = *token.expires_at - left;
        token.last_used_at = now - used;
        return is_refreshed_ahead(token, now);
    };
    BOOST_TEST(!ahead(Span(301), Span(3600)));
    BOOST_TEST(ahead(Span(300), Span(3600)));
    BOOST_TEST(ahead(Span(-1), Span(3600)));
    BOOST_TEST(!ahead(Span(31), Span(90))); // the last third of a short life
    BOOST_TEST(ahead(Span(30), Span(90)));
    BOOST_TEST(ahead(Span(100), Span(3600), Span(3599)));
    BOOST_TEST(!ahead(Span(100), Span(3600), Span(3600)));
    BOOST_TEST(!ahead(Span(100), Span(3600), Span(-3600))); // used in a future that was none
    // Always before a call would refresh it.
    for (const auto life : {10, 60, 90, 300, 600, 3600, 86400}) {
        const auto token = sample_token(Span(life));
        auto now = noon;
        while (freshness_of(token, now) == Freshness::fresh) now += Span(1);
        auto used = token;
        used.last_used_at = noon;
        BOOST_TEST_CONTEXT(life) {
            if (life <= 3600) BOOST_TEST(is_refreshed_ahead(used, now - Span(1)));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_or_must_not_be_refreshed_is_left_alone, *label("XC3")) {
    const auto now = noon + Span(3500);
    auto token = sample_token();
    token.last_used_at = now;
    BOOST_TEST(is_refreshed_ahead(token, now));
    const auto but = [&](auto change) {
        auto changed = token;
        change(changed);
        return is_refreshed_ahead(changed, now);
    };
    BOOST_TEST(!but([](auto& one) { one.last_used_at.reset(); }));
    BOOST_TEST(!but([](auto& one) { one.expires_at.reset(); }));
    BOOST_TEST(!but([](auto& one) { one.refresh_token.clear(); }));
    BOOST_TEST(!but([](auto& one) { one.broken_at = noon; }));
    BOOST_TEST(!but([](auto& one) { one.ended_at = noon; }));
    BOOST_TEST(!but([&](auto& one) { one.lease_until = now + Span(1); }));
    BOOST_TEST(!but([&](auto& one) { one.retry_at = now + Span(1); }));
    BOOST_TEST(but([&](auto& one) { one.retry_at = one.lease_until = now; }));
}

BOOST_AUTO_TEST_CASE(
    each_state_is_entered_for_its_cause_and_left_for_another, *label("XC5") * label("XC6")) {
    const auto over = noon + Span(3600);
    const auto connected = sample_token();
    BOOST_TEST((state_of(connected, over) == AccountState::connected));

    auto refreshing = connected;
    refreshing.lease_until = over + Span(20);
    BOOST_TEST((state_of(refreshing, over) == AccountState::refreshing));
    BOOST_TEST((state_of(refreshing, over + Span(20)) == AccountState::connected)); // it died

    const auto resting = after_failure(connected, {.reason = "status 503"}, over);
    BOOST_TEST((state_of(resting, over + Span(4)) == AccountState::resting));
    BOOST_TEST((state_of(resting, over + Span(5)) == AccountState::connected));

    const auto refused = after_failure(connected, {.error = UpstreamError::refused}, over);
    BOOST_TEST((state_of(refused, over) == AccountState::needs_person));
    BOOST_TEST((state_of(refused, over + Span(86400)) == AccountState::needs_person));
    auto final = connected;
    final.refresh_token.clear();
    BOOST_TEST((state_of(final, over - Span(1)) == AccountState::connected));
    BOOST_TEST((state_of(final, over) == AccountState::needs_person));

    for (const auto& one : {connected, refreshing, resting, refused, final}) {
        auto ended = one;
        ended.ended_at = over;
        BOOST_TEST((state_of(ended, over) == AccountState::ended));
        BOOST_TEST((next_step(ended, over) == AccountStep::connect_anew));
        const auto again = after_refresh(one, over + Span(60), "", over);
        BOOST_TEST((state_of(again, over) == AccountState::connected));
        BOOST_TEST((freshness_of(again, over) == Freshness::fresh));
    }
}

BOOST_AUTO_TEST_CASE(a_refresh_leaves_nothing_of_what_failed_before, *label("XC6")) {
    auto token = sample_token();
    token.scope = "read";
    for (int time = 0; time < 3; ++time)
        token = after_failure(token, {UpstreamError::odd_refusal, "status 400"}, noon);
    const auto good = after_refresh(token, std::nullopt, "", noon + Span(60));
    BOOST_TEST(good.failures == 0);
    BOOST_TEST(good.odd_refusals == 0);
    BOOST_TEST(!good.odd_since.has_value());
    BOOST_TEST(!good.retry_at.has_value());
    BOOST_TEST(good.failure.empty());
    BOOST_TEST(!good.expires_at.has_value());
    BOOST_TEST((good.updated_at == noon + Span(60)));
    BOOST_TEST(good.scope == "read"); // not said again
    BOOST_TEST(after_refresh(token, std::nullopt, "write", noon).scope == "write");
}

BOOST_AUTO_TEST_CASE(
    an_odd_refusal_is_believed_when_it_is_the_fifth_or_comes_for_an_hour, *label("XC6")) {
    for (const auto error : {UpstreamError::odd_refusal, UpstreamError::resource_refused}) {
        auto token = sample_token();
        std::vector<std::int64_t> pauses;
        auto now = noon;
        for (int refusal = 1; refusal < 5; ++refusal) {
            token = after_failure(token, {error, "status 400"}, now);
            BOOST_TEST(!token.broken_at.has_value(), refusal);
            pauses.push_back((*token.retry_at - now).count());
            now = *token.retry_at;
        }
        const std::vector<std::int64_t> expected{30, 60, 120, 240};
        BOOST_TEST(pauses == expected, boost::test_tools::per_element());
        BOOST_TEST((after_failure(token, {error, "status 400"}, now).broken_at == now));
    }
    const auto twice = [](Span between) {
        const RefreshFailure odd{UpstreamError::odd_refusal, "status 400"};
        return after_failure(after_failure(sample_token(), odd, noon), odd, noon + between);
    };
    BOOST_TEST(!twice(Span(3599)).broken_at.has_value());
    BOOST_TEST(twice(Span(3600)).broken_at.has_value());
}

BOOST_AUTO_TEST_CASE(
    what_says_nothing_about_the_token_never_ends_it_however_often_it_comes, *label("XC5")) {
    for (const auto error : {UpstreamError::unavailable, UpstreamError::client_refused}) {
        auto token = sample_token();
        for (int hour = 0; hour < 48; ++hour)
            token = after_failure(token, {error, "status 401"}, noon + Span(3600 * hour));
        BOOST_TEST(!token.broken_at.has_value());
        BOOST_TEST(token.odd_refusals == 0);
    }
    // Between two odd refusals they change nothing.
    auto token = sample_token();
    const RefreshFailure odd{UpstreamError::odd_refusal, "status 400"}, away{.reason = "none"};
    for (int time = 0; time < 4; ++time)
        token = after_failure(after_failure(token, odd, noon), away, noon);
    BOOST_TEST(!token.broken_at.has_value());
    BOOST_TEST(after_failure(token, odd, noon).broken_at.has_value());
}

BOOST_AUTO_TEST_CASE(a_row_of_odd_refusals_from_the_future_begins_anew, *label("XC6")) {
    const RefreshFailure odd{UpstreamError::odd_refusal, "status 400"};
    auto token = after_failure(sample_token(), odd, noon + Span(86400));
    token = after_failure(token, odd, noon);
    BOOST_TEST((token.odd_since == noon));
    BOOST_TEST(!token.broken_at.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
