// Cases × engines. Every engine gets a suite of the same cases, on an empty database of its own.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include "case.h"
#include "engines.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/time.h"

using namespace consentgate;

static bool add_suites() {
    for (auto& engine : tests::engines()) {
        auto* suite = BOOST_TEST_SUITE("store_" + engine.name);
        for (const auto& one : tests::cases()) {
            if (one.servers_only && !engine.has_servers) continue;
            auto* test = boost::unit_test::make_test_case(
                [&engine, one] { one.run(engine.database()); }, one.name, __FILE__, __LINE__);
            for (const auto& label : core::split(one.labels, ' ')) test->add_label(label);
            suite->add(test);
        }
        boost::unit_test::framework::master_test_suite().add(suite);
    }
    return true;
}

int main(int argc, char** argv) {
    return boost::unit_test::unit_test_main(&add_suites, argc, argv);
}
