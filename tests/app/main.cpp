// The tests of app: configuration, and how the parts are put together.
#define BOOST_TEST_MODULE app
#include <boost/test/unit_test.hpp>
