// Migrations: from several machines at once, interrupted anywhere, and what they leave.
#include "sample.h"

#include "tests/support/child.h"

#include <set>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

STORE_CASE(a_database_without_a_schema_says_so, "O4") {
    const auto [one, other] = database.empty_database();
    if (database.servers() != nullptr)
        BOOST_TEST(
            store::open_store(one)->maintenance.schema_version() ==
            0); // SQLite: there is no file yet
    store::migrate(one, noon);
    BOOST_TEST(
        store::open_store(other)->maintenance.schema_version() == store::expected_schema_version());
}

STORE_CASE(migrations_started_on_several_machines_at_once_make_one_schema, "O4") {
    for (int round = 0; round < 3; ++round) {
        auto [one, other] = database.empty_database();
        std::vector<pid_t> children;
        for (int child = 0; child < 6; ++child) {
            children.push_back(start_child([&, child] {
                auto config = child % 2 == 0 ? one : other;
                config.wait = std::chrono::milliseconds(60000);
                try {
                    return static_cast<int>(store::migrate(config, noon).size());
                } catch (const store::StoreFailure& failure) {
                    std::fprintf(stderr, "%s\n", failure.what());
                    return 99;
                }
            }));
        }
        int applied = 0;
        for (const pid_t pid : children) applied += end_of(pid);
        BOOST_TEST(applied == store::expected_schema_version()); // each migration by one of them
        const auto store = store::open_store(one);
        BOOST_TEST(store->maintenance.schema_version() == store::expected_schema_version());
        const auto finalization = finalization_of(put_sample_flow(*store));
        BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    }
}

// Where the engine cannot take CREATE TABLE back, the rest must still be made by the next run. One
// database meets every interruption: each run ends before the first statement at which none has
// ended yet, so the next one begins with what that left.
STORE_CASE(a_migration_that_was_interrupted_anywhere_is_completed_by_the_next_run, "O4") {
    const auto [one, other] = database.empty_database();
    std::set<std::pair<int, std::string>> interrupted;
    bool injected = true;
    for (int version = 0; injected;) {
        auto failing = one;
        injected = false;
        failing.before_statement = [&](std::string_view sql) {
            if (!interrupted.emplace(version, sql).second) {
                if (sql.starts_with("INSERT INTO schema_version")) ++version;
                return;
            }
            injected = true;
            throw std::runtime_error("injected");
        };
        try {
            // It may succeed: MariaDB has committed already when COMMIT fails, and migrate sees it.
            store::migrate(failing, noon);
        } catch (const store::StoreFailure&) {
            BOOST_TEST(injected);
        }
        version = store::open_store(other)->maintenance.schema_version();
    }
    const auto store = store::open_store(other);
    BOOST_TEST(store->maintenance.schema_version() == store::expected_schema_version());
    // Each migration was interrupted before its first statement, its row and its end at least.
    BOOST_TEST(std::ssize(interrupted) > 3 * store::expected_schema_version());
    const auto flow = put_sample_flow(*store);
    store->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
    const auto finalization = finalization_of(store->flows.find(flow.id)->flow);
    BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    BOOST_TEST(
        (store->codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon) ==
         Applied::yes));
}

STORE_CASE(a_migration_of_which_only_the_row_is_missing_is_run_again, "O4") {
    const auto [one, other] = database.empty_database();
    int interrupted = 0;
    for (bool injected = true; injected;) {
        auto failing = one;
        int rows = 0;
        injected = false;
        failing.before_statement = [&](std::string_view sql) {
            if (!sql.starts_with("INSERT INTO schema_version") || ++rows <= 1) return;
            injected = true;
            throw std::runtime_error("injected");
        };
        failing.on_retry = [&](store::RetryReason) { --rows; }; // it comes to the same row again
        try {
            store::migrate(failing, noon);
        } catch (const store::StoreFailure&) {
            ++interrupted;
        }
    }
    BOOST_TEST(interrupted == store::expected_schema_version() - 1);
    BOOST_TEST(
        store::open_store(other)->maintenance.schema_version() == store::expected_schema_version());
}
