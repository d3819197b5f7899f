#include "src/web/fastcgi_body.h"

#include <boost/test/unit_test.hpp>

using boost::unit_test::label;
using consentgate::web::body_allowance;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds longest{20000};

long long allowed(std::size_t bytes, bool others_wait = false) {
    return body_allowance(bytes, others_wait, longest).count();
}

} // namespace

BOOST_AUTO_TEST_SUITE(fastcgi_body)

BOOST_AUTO_TEST_CASE(a_body_has_three_seconds_and_then_2_KiB_a_second_at_least, *label("XD1")) {
    BOOST_TEST(allowed(0) == 3000);
    BOOST_TEST(allowed(1) == 3000);
    BOOST_TEST(allowed(2048) == 4000);
    BOOST_TEST(allowed(20480) == 13000);
    // One that always keeps that rate is never late.
    for (std::size_t ms = 3000; ms < 17000; ms += 100)
        BOOST_TEST(allowed((ms - 3000) * 2048 / 1000 + 3) >= static_cast<long long>(ms));
}

BOOST_AUTO_TEST_CASE(while_others_wait_a_body_has_half_of_that, *label("XD1")) {
    for (const std::size_t bytes : {0, 1000, 20480})
        BOOST_TEST(allowed(bytes, true) == allowed(bytes) / 2);
}

BOOST_AUTO_TEST_CASE(no_body_has_more_time_than_the_longest_of_all, *label("XD1")) {
    BOOST_TEST(allowed(65536) == 20000);
    BOOST_TEST(allowed(1UL << 40) == 20000);
    BOOST_TEST(body_allowance(1UL << 40, true, milliseconds(600000)).count() == (3000 + 32000) / 2);
    BOOST_TEST(body_allowance(0, false, milliseconds(100)).count() == 100);
}

BOOST_AUTO_TEST_SUITE_END()
