#include "consentgate/sys/rate_limiter.h"

#include "tests/support/child.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::tests;
using boost::unit_test::label;
using consentgate::core::Span;
using consentgate::sys::RateLimiter;
using consentgate::tests::noon;

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_AUTO_TEST_CASE(as_many_as_allowed_are_admitted_and_the_next_must_wait, *label("R17")) {
    RateLimiter rates;
    for (int i = 0; i < 5; ++i) BOOST_TEST(rates.admit("register", "192.0.2.1", 5, noon) == 0);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 5, noon) == 60);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 5, noon + Span(1)) == 59);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 5, noon + Span(59)) == 1);
}

BOOST_AUTO_TEST_CASE(the_next_minute_begins_anew, *label("R17")) {
    RateLimiter rates;
    for (int i = 0; i < 3; ++i) rates.admit("register", "192.0.2.1", 2, noon);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 2, noon + Span(60)) == 0);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 2, noon + Span(61)) == 0);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 2, noon + Span(62)) == 58);
}

BOOST_AUTO_TEST_CASE(what_is_refused_does_not_lengthen_the_wait, *label("R17")) {
    RateLimiter rates;
    rates.admit("register", "192.0.2.1", 1, noon);
    for (int i = 0; i < 1000; ++i)
        BOOST_REQUIRE(rates.admit("register", "192.0.2.1", 1, noon) == 60);
    BOOST_TEST(rates.admit("register", "192.0.2.1", 1, noon + Span(60)) == 0);
}

BOOST_AUTO_TEST_CASE(zero_is_no_limit, *label("R17")) {
    RateLimiter rates;
    for (int i = 0; i < 1000; ++i)
        BOOST_REQUIRE(rates.admit("register", "192.0.2.1", 0, noon) == 0);
}

// Two keys may share one of 16384 counters, so not every one of many can be asked to be free; most
// must.
BOOST_AUTO_TEST_CASE(addresses_and_purposes_are_counted_apart, *label("R17")) {
    RateLimiter rates;
    int admitted = 0;
    for (int i = 0; i < 100; ++i) {
        admitted += rates.admit("register", "192.0.2." + std::to_string(i), 1, noon) == 0 ? 1 : 0;
        admitted += rates.admit("authorize", "192.0.2." + std::to_string(i), 1, noon) == 0 ? 1 : 0;
    }
    BOOST_TEST(admitted >= 180);
    BOOST_TEST(rates.admit("register", "192.0.2.7", 1, noon) == 60);
}

BOOST_AUTO_TEST_CASE(a_limit_holds_across_processes, *label("R17")) {
    RateLimiter rates; // before the fork, as the master makes it
    constexpr int processes = 4, tries = 50, limit = 60;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        children.push_back(start_child([&] {
            int admitted = 0;
            for (int j = 0; j < tries; ++j)
                admitted += rates.admit("register", "192.0.2.1", limit, noon) == 0 ? 1 : 0;
            return admitted;
        }));
    }
    int admitted = 0;
    for (const auto child : children) admitted += end_of(child);
    BOOST_TEST(admitted == limit);
    BOOST_TEST(rates.admit("register", "192.0.2.1", limit, noon) == 60);
}

BOOST_AUTO_TEST_CASE(what_is_forgiven_was_not_used, *label("XA3")) {
    RateLimiter rates;
    for (int i = 0; i < 100; ++i) {
        BOOST_REQUIRE(rates.admit("virtual_key", "192.0.2.1", 2, noon) == 0);
        rates.forgive("virtual_key", "192.0.2.1", 2, noon);
    }
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 2, noon) == 0);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 2, noon) == 0);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 2, noon) == 60);
}

BOOST_AUTO_TEST_CASE(nothing_is_forgiven_twice_or_of_a_minute_that_is_over, *label("XA3")) {
    RateLimiter rates;
    rates.forgive("virtual_key", "192.0.2.1", 1, noon);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 1, noon) == 0);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 1, noon) == 60);
    rates.forgive("virtual_key", "192.0.2.1", 1, noon + Span(60));
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 1, noon) == 60);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 1, noon + Span(60)) == 0);
    BOOST_TEST(rates.admit("virtual_key", "192.0.2.1", 1, noon + Span(60)) == 60);
}

BOOST_AUTO_TEST_SUITE_END()
