// The tests of core: pure rules, no file, no clock, no network.
#define BOOST_TEST_MODULE core
#include <boost/test/unit_test.hpp>
