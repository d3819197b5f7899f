#define BOOST_TEST_MODULE usecase
#include <boost/test/unit_test.hpp>
