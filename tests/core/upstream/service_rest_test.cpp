#include "consentgate/core/upstream/service_rest.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// After time-outs of these accounts, one a second.
ServiceRest after(const std::vector<std::uint64_t>& accounts, ServiceRest state = {}) {
    auto now = noon;
    for (const auto account : accounts)
        state = after_timeout(state, account, false, now += Span(1));
    return state;
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_rest)

BOOST_AUTO_TEST_CASE(five_time_outs_in_a_row_of_two_accounts_begin_a_rest, *label("XC4")) {
    BOOST_TEST(after({1, 2, 1, 2}).is_awake());
    const auto resting = after({1, 2, 1, 2, 1});
    BOOST_TEST((rest_of(resting, noon + Span(5)) == Span(30)));
    BOOST_TEST((rest_of(resting, noon + Span(34)) == Span(1)));
    BOOST_TEST(!rest_of(resting, noon + Span(35)).has_value());
    // One account's tokens alone may be what the service hangs at.
    const auto one = after({7, 7, 7, 7, 7, 7, 7, 7});
    BOOST_TEST(one.is_awake());
    BOOST_TEST(!after({8}, one).is_awake());
    // In a row: an answer begins anew.
    BOOST_TEST(after({1}, after_answer(after({1, 2, 1, 2}))).is_awake());
}

BOOST_AUTO_TEST_CASE(one_trial_decides_what_follows_a_rest, *label("XC4")) {
    auto state = after({1, 2, 1, 2, 1});
    const auto rest_ends = noon + Span(35);
    state = begin_trial(state, rest_ends, Span(20));
    BOOST_TEST((rest_of(state, rest_ends) == Span(20)));           // for everybody else
    BOOST_TEST(!rest_of(state, rest_ends + Span(20)).has_value()); // the process of the trial died
    BOOST_TEST(after_answer(state).is_awake());
    BOOST_TEST(after_answer(state).timeouts == 0);
    BOOST_TEST(!after_timeout(state, 1, true, rest_ends + Span(10)).is_awake());
}

BOOST_AUTO_TEST_CASE(rests_double_to_ten_minutes, *label("XC4")) {
    auto state = after({1, 2, 1, 2, 1});
    std::vector<std::int64_t> rests{rest_of(state, noon + Span(5))->count()};
    for (int trial = 0; trial < 6; ++trial) {
        const auto now = state.until;
        state = after_timeout(begin_trial(state, now, Span(20)), 1, true, now);
        rests.push_back(rest_of(state, now)->count());
    }
    const std::vector<std::int64_t> expected{30, 60, 120, 240, 480, 600, 600};
    BOOST_TEST(rests == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(requests_from_before_a_rest_neither_lengthen_nor_double_it, *label("XC4")) {
    const auto resting = after({1, 2, 1, 2, 1});
    const auto later = after({3, 4, 5, 6, 7, 8}, resting);
    BOOST_TEST((later.until == resting.until));
    BOOST_TEST(later.rests == 1);
    BOOST_TEST(after_answer(resting).is_awake()); // it lives
}

BOOST_AUTO_TEST_CASE(no_clock_that_jumped_makes_a_service_rest_for_ever, *label("XC4")) {
    const auto resting = after({1, 2, 1, 2, 1});
    BOOST_TEST(!rest_of(resting, noon - Span(86400)).has_value());
    BOOST_TEST(!rest_of(resting, noon + Span(86400)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
