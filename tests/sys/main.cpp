// The tests of sys: files, shared memory and stderr of this machine, nothing beyond it.
#define BOOST_TEST_MODULE sys
#include <boost/test/unit_test.hpp>
