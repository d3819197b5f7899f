#include "consentgate/core/base/time.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(http_dates)

BOOST_AUTO_TEST_CASE(a_date_header_is_read_in_its_one_form_and_in_no_other, *label("D12")) {
    BOOST_TEST(
        (core::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == core::from_epoch(784111777)));
    for (const auto* other :
         {"", "now", "784111777", "Sun, 06 Nov 1994", "1994-11-06T08:49:37Z",
          "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"})
        BOOST_TEST(!core::parse_http_date(other).has_value(), other);
}

BOOST_AUTO_TEST_SUITE_END()
