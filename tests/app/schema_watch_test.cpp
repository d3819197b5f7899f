// Tests src/app/schema_watch.cpp on a real database: what a worker does whose database another
// machine's newer version has migrated.
#include "app/schema_watch.h"
#include "tests/support/captured_log.h"
#include "tests/support/moving_clock.h"
#include "tests/support/samples.h"
#include "tests/support/temp_folder.h"

#include "consentgate/store/open.h"

#include <boost/test/unit_test.hpp>

#include <csignal>

#include <sqlite3.h>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// As a worker has it: blocked, and taken when it is waited for.
struct BlockedSigterm {
    sigset_t set{};
    BlockedSigterm() {
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, nullptr);
    }
    bool taken() const {
        const timespec none{};
        return sigtimedwait(&set, nullptr, &none) == SIGTERM;
    }
    ~BlockedSigterm() { sigprocmask(SIG_UNBLOCK, &set, nullptr); }
};

void run(const std::string& path, const std::string& statement) {
    sqlite3* database = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    BOOST_REQUIRE(
        sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_watch)

BOOST_AUTO_TEST_CASE(
    a_worker_ends_within_a_minute_of_a_migration_that_stops_it_and_of_no_other, *label("O17")) {
    const TempFolder folder;
    const BlockedSigterm sigterm;
    const store::StoreConfig config{
        .path = folder.file("consentgate.db"), .wait = std::chrono::milliseconds(2000)};
    store::migrate(config, noon);
    const auto store = store::open_store(config);
    MovingClock clock(noon);
    sys::OsRandom random;
    sys::Log log;
    const auto policy = sample_policy();
    const auto keyring = sample_keyring();
    const core::BearerVerifier bearers{{{"HS256", core::Secret(std::string(32, 's'))}}, "", ""};
    usecase::Dependencies deps{
        .store = *store,
        .random = random,
        .clock = clock,
        .log = log,
        .policy = policy,
        .keyring = keyring,
        .bearers = bearers};
    app::SchemaWatch watch(deps);

    run(config.path, "INSERT INTO schema_version VALUES (9001, '9001_nonstop', '', 1)");
    clock.move(core::Span(61));
    watch();
    BOOST_TEST(!sigterm.taken());
    run(config.path, "INSERT INTO schema_version VALUES (9002, '9002_future_stop', '', 1)");
    watch(); // not a minute yet
    BOOST_TEST(!sigterm.taken());
    clock.move(core::Span(61));
    watch();
    BOOST_TEST(sigterm.taken());
}

BOOST_AUTO_TEST_SUITE_END()
