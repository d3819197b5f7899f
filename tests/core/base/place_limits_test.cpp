#include "consentgate/core/base/place_limits.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(place_limits_suite)

BOOST_AUTO_TEST_CASE(
    of_any_number_of_workers_a_quarter_stays_free_and_each_limit_is_at_least_one, *label("XC2")) {
    for (std::size_t workers = 1; workers <= 256; ++workers) {
        const auto limits = place_limits(workers);
        BOOST_TEST(limits.of_target >= 1U);
        BOOST_TEST(limits.of_target <= limits.of_kind);
        BOOST_TEST(limits.of_kind <= limits.all);
        BOOST_TEST(limits.all * 4 <= std::max<std::size_t>(4, workers * 3), workers);
        BOOST_TEST(limits.of_kind * 2 <= std::max<std::size_t>(2, workers), workers);
        BOOST_TEST(limits.of_target * 4 <= std::max<std::size_t>(4, workers), workers);
        if (workers > 1) BOOST_TEST(limits.all < workers, workers);
    }
}

BOOST_AUTO_TEST_CASE(a_place_is_free_only_while_all_three_limits_have_one_left, *label("XC2")) {
    BOOST_TEST(place_is_free({5, 3, 1}, 8));
    BOOST_TEST(!place_is_free({6, 0, 0}, 8));
    BOOST_TEST(!place_is_free({4, 4, 0}, 8));
    BOOST_TEST(!place_is_free({2, 2, 2}, 8));
    BOOST_TEST(place_is_free({}, 1));
    BOOST_TEST(!place_is_free({1, 0, 0}, 1));
}

BOOST_AUTO_TEST_CASE(workers_that_wait_for_a_place_count_as_busy_ones, *label("XC2")) {
    BOOST_TEST(may_wait_for_place({2, 2, 2}, 3, 8));
    BOOST_TEST(!may_wait_for_place({2, 2, 2}, 4, 8));
    BOOST_TEST(!may_wait_for_place({6, 0, 0}, 0, 8));
    BOOST_TEST(!may_wait_for_place({1, 0, 0}, 0, 1));
}

BOOST_AUTO_TEST_SUITE_END()
