// The same for the tests of the modules, which all use Boost.Test.
#include "../../src/precompiled.h"

#include <boost/test/unit_test.hpp>
