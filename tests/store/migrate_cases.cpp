// Migrations: from several machines at once, interrupted anywhere, and what they leave.
#include "child.h"
#include "sample.h"

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

// Where the engine cannot take CREATE TABLE back, the rest must still be made by the next run.
STORE_CASE(a_migration_that_was_interrupted_anywhere_is_completed_by_the_next_run, "O4") {
    std::size_t statements = 1;
    for (std::size_t fatal = 1; fatal <= statements; ++fatal) {
        const auto [one, other] = database.empty_database();
        auto failing = one;
        std::size_t seen = 0;
        failing.before_statement = [&](std::string_view) {
            if (++seen == fatal) throw std::runtime_error("injected");
        };
        try {
            store::migrate(failing, noon);
            BOOST_REQUIRE(fatal > 10); // more statements than that there are
            break;
        } catch (const store::StoreFailure&) {
            statements = fatal + 1;
        }
        store::migrate(one, noon);
        const auto store = store::open_store(other);
        BOOST_TEST(store->maintenance.schema_version() == store::expected_schema_version());
        const auto flow = put_sample_flow(*store);
        store->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
        const auto finalization = finalization_of(store->flows.find(flow.id)->flow);
        BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
        BOOST_TEST(
            (store->codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon) ==
             Applied::yes));
    }
}
