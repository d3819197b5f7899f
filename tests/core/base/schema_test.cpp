// Tests core/base/schema.h: which program may work on which database.
#include "consentgate/core/base/schema.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(schema)

BOOST_AUTO_TEST_CASE(
    a_program_works_on_its_own_schema_and_on_newer_ones_that_only_add, *label("O17")) {
    BOOST_TEST((fit_of({.version = 29}, 29) == SchemaFit::same));
    BOOST_TEST((fit_of({.version = 33}, 29) == SchemaFit::newer));
    BOOST_TEST((fit_of({.version = 33, .last_stop = 29}, 29) == SchemaFit::newer));
    BOOST_TEST(may_work(SchemaFit::same));
    BOOST_TEST(may_work(SchemaFit::newer));
}

BOOST_AUTO_TEST_CASE(
    a_program_works_on_no_schema_that_lacks_something_or_that_a_later_migration_closed,
    *label("O17")) {
    BOOST_TEST((fit_of({.version = 28}, 29) == SchemaFit::older));
    BOOST_TEST((fit_of({}, 29) == SchemaFit::older));
    BOOST_TEST((fit_of({.version = 30, .last_stop = 30}, 29) == SchemaFit::closed));
    BOOST_TEST((fit_of({.version = 33, .last_stop = 31}, 30) == SchemaFit::closed));
    BOOST_TEST((fit_of({.version = 33, .last_stop = 31}, 31) == SchemaFit::newer));
    BOOST_TEST(!may_work(SchemaFit::older));
    BOOST_TEST(!may_work(SchemaFit::closed));
}

BOOST_AUTO_TEST_SUITE_END()
