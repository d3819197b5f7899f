// Finalizing a flow: everything or nothing, and exactly once. spec: docs/http.md
#include "sample.h"

#include "store/db_session.h"
#include "tests/support/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// The number of statements that finalizing a flow with two linked accounts runs.
std::size_t statements_of_finalizing(TestDatabase& database) {
    std::size_t seen = 0;
    const auto quiet = database.open();
    const auto flow = put_sample_flow(*quiet);
    for (const auto* service : {"notion", "github"})
        quiet->accounts.connect_in_flow(flow.id, sample_token(service), noon);
    const auto current = quiet->flows.find(flow.id)->flow;
    const auto counting = database.open([&](std::string_view) { ++seen; });
    finalize(*counting, finalization_of(current));
    return seen;
}

core::Flow flow_with_tokens(store::Store& store, std::size_t tokens) {
    const auto flow = put_sample_flow(store);
    for (std::size_t i = 0; i < tokens; ++i)
        store.accounts.connect_in_flow(flow.id, sample_token("service" + std::to_string(i)), noon);
    return store.flows.find(flow.id)->flow;
}

} // namespace

STORE_CASE(a_finalized_flow_is_gone_and_its_session_and_code_are_there, "S1") {
    const auto store = database.open();
    const auto flow = flow_with_tokens(*store, 2);
    const auto finalization = finalization_of(flow);
    BOOST_TEST((finalize(*store, finalization) == Applied::yes));
    BOOST_TEST(traces_of(*store, finalization).finalized(2));
    BOOST_TEST((store->flows.find_finalized(flow.id) == flow.browser));

    const auto code = store->codes.find(finalization.code.hash);
    BOOST_REQUIRE(code.has_value());
    BOOST_TEST(code->code.redirect_uri == flow.redirect_uri);
    BOOST_TEST(code->code.code_challenge == flow.code_challenge);
    BOOST_TEST(code->code.key_id.text == "k1");
    BOOST_TEST((code->code.expires_at == noon + core::Span(300)));
    BOOST_TEST(code->session.resource == flow.resource);
    BOOST_TEST(code->session.scope.text() == "mcp");
    BOOST_TEST((code->session.expires_at == noon + core::Span(86400)));
}

STORE_CASE(a_flow_is_finalized_once_only, "S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const auto first = finalization_of(flow);
    const auto second = finalization_of(flow);
    BOOST_TEST((finalize(*store, first) == Applied::yes));
    BOOST_TEST((finalize(*store, second) == Applied::no));
    BOOST_TEST(!store->sessions.find(second.session.token).has_value());
    BOOST_TEST(!store->codes.find(second.code.hash).has_value());
}

STORE_CASE(an_expired_flow_is_not_finalized_and_stays, "S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const auto at_the_last_second =
        finalization_of(flow, {core::IdentityKind::skipped, {}}, flow.expires_at);
    BOOST_TEST((finalize(*store, at_the_last_second) == Applied::no));
    BOOST_TEST(traces_of(*store, at_the_last_second).untouched(0));
    const auto in_time =
        finalization_of(flow, {core::IdentityKind::skipped, {}}, flow.expires_at - core::Span(1));
    BOOST_TEST((finalize(*store, in_time) == Applied::yes));
}

STORE_CASE(a_flow_whose_identity_changed_since_it_was_read_is_not_finalized, "S1") {
    const auto store = database.open();
    const auto read = put_sample_flow(*store);
    BOOST_TEST(
        (store->flows.choose_identity(
             read.id, read.revision, {core::IdentityKind::user_id, "anna"}, noon) == Applied::yes));
    BOOST_TEST((finalize(*store, finalization_of(read)) == Applied::no));
    const auto again = store->flows.find(read.id);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->flow.identity.value == "anna");
}

STORE_CASE(an_identity_choice_never_brings_a_finalized_flow_back, "S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    finalize(*store, finalization_of(flow));
    BOOST_TEST(
        (store->flows.choose_identity(
             flow.id, flow.revision, {core::IdentityKind::user_id, "mallory"}, noon) ==
         Applied::no));
    BOOST_TEST(!store->flows.find(flow.id).has_value());
}

STORE_CASE(an_account_linked_since_the_flow_was_read_is_not_left_behind, "S1") {
    const auto store = database.open();
    const auto read = put_sample_flow(*store);
    store->accounts.connect_in_flow(read.id, sample_token("notion"), noon);
    BOOST_TEST((finalize(*store, finalization_of(read)) == Applied::no));
    const auto finalization = finalization_of(store->flows.find(read.id)->flow);
    BOOST_TEST((finalize(*store, finalization) == Applied::yes));
    BOOST_TEST(traces_of(*store, finalization).finalized(1));
    BOOST_TEST(
        (store->accounts.connect_in_flow(read.id, sample_token("github"), noon) == Applied::no));
}

STORE_CASE(accounts_of_a_virtual_key_replace_those_it_had_at_the_same_service, "S11") {
    const auto store = database.open();
    const core::Identity key{core::IdentityKind::virtual_key, "vk_" + fresh_id()};
    const auto first = flow_with_tokens(*store, 2);
    const auto before = finalization_of(first, key);
    BOOST_TEST((finalize(*store, before) == Applied::yes));
    const auto second = flow_with_tokens(*store, 1); // service0 again
    const auto connected = store->accounts.list(core::Owner::of(second.id)).front();
    BOOST_TEST((finalize(*store, finalization_of(second, key)) == Applied::yes));

    const auto kept = store->accounts.list(before.session_owner);
    BOOST_REQUIRE(kept.size() == 2U);
    BOOST_TEST(kept[0].id == connected.id);
    BOOST_TEST(kept[0].access_token == connected.access_token);
    BOOST_TEST(kept[0].version > connected.version);
    BOOST_TEST(kept[1].service.text == "service1");
}

STORE_CASE(accounts_of_a_typed_user_id_stay_with_their_session, "S11") {
    const auto store = database.open();
    const core::Identity typed{core::IdentityKind::user_id, "anna"};
    const auto mine = finalization_of(flow_with_tokens(*store, 1), typed);
    const auto hers = finalization_of(flow_with_tokens(*store, 1), typed);
    finalize(*store, mine);
    finalize(*store, hers);
    BOOST_TEST(mine.session_owner.text() != hers.session_owner.text());
    BOOST_TEST(traces_of(*store, mine).finalized(1));
    BOOST_TEST(traces_of(*store, hers).finalized(1));
}

// At least 500 failures, at every statement in turn, BEGIN and COMMIT included; alternately of a
// kind after which the session is closed, and of one after which it is rolled back and goes on.
STORE_CASE(a_failure_at_any_statement_leaves_the_flow_as_it_was, "S1") {
    const auto statements = statements_of_finalizing(database);
    BOOST_REQUIRE(
        statements >= 9U); // BEGIN, DELETE, INSERT, SELECT, 2 × (DELETE, UPDATE), INSERT, COMMIT
    const auto watcher = database.open();
    std::size_t injected = 0, seen = 0, fatal = 1, round = 0;
    const auto failing = database.open([&](std::string_view) {
        if (++seen != fatal) return;
        if (round % 4 == 0) throw std::runtime_error("injected");
        throw store::EngineError(store::EngineErrorKind::taken, "injected");
    });
    for (; injected < 500; ++round) {
        const auto finalization = finalization_of(flow_with_tokens(*watcher, 2));
        for (fatal = 1; fatal <= statements; ++fatal) {
            seen = 0;
            BOOST_CHECK_THROW(finalize(*failing, finalization), store::StoreFailure);
            BOOST_REQUIRE_MESSAGE(
                traces_of(*watcher, finalization).untouched(2),
                "after a failure at statement " << fatal << " of " << statements);
            ++injected;
        }
        // The flow can still be finalized.
        BOOST_REQUIRE((finalize(*watcher, finalization) == Applied::yes));
        BOOST_REQUIRE(traces_of(*watcher, finalization).finalized(2));
    }
}

STORE_CASE(a_store_that_failed_works_again_with_its_next_verb, "S1") {
    bool fail = true;
    const auto store = database.open([&](std::string_view sql) {
        if (fail && sql == "COMMIT") throw std::runtime_error("injected");
    });
    const auto client = sample_client();
    BOOST_CHECK_THROW(store->clients.put(client), store::StoreFailure);
    fail = false;
    BOOST_TEST(!store->clients.find(client.id).has_value());
    store->clients.put(client);
    BOOST_TEST(store->clients.find(client.id).has_value());
}

// 21 rounds of four processes that finalize as fast as they can and are killed meanwhile, at random
// moments and at every kind of statement.
STORE_CASE(a_killed_process_leaves_everything_or_nothing, "S1") {
    const auto watcher = database.open();
    std::vector<core::Finalization> finalizations;
    for (int round = 0; round < 21; ++round) {
        const std::size_t first = finalizations.size();
        for (int i = 0; i < 24; ++i)
            finalizations.push_back(finalization_of(flow_with_tokens(*watcher, 1)));
        std::vector<pid_t> children;
        for (int child = 0; child < 4; ++child) {
            children.push_back(start_child([&] {
                std::size_t countdown = static_cast<std::size_t>(round * 4 + child) % 37 + 3;
                const auto store = database.open([&](std::string_view) {
                    if (--countdown == 0) raise(SIGKILL);
                });
                for (std::size_t i = first + static_cast<std::size_t>(child);
                     i < finalizations.size(); i += 4)
                    finalize(*store, finalizations[i]);
                return 0;
            }));
        }
        for (const pid_t pid : children) end_of(pid);
    }
    std::size_t finalized_flow = 0;
    for (const auto& finalization : finalizations) {
        const auto traces = traces_of(*watcher, finalization);
        BOOST_REQUIRE(traces.finalized(1) || traces.untouched(1));
        finalized_flow += traces.finalized(1) ? 1 : 0;
    }
    BOOST_TEST(finalized_flow > 0U);
    BOOST_TEST(finalized_flow < finalizations.size());
}

STORE_CASE(of_eight_processes_that_finalize_one_flow_one_wins, "S1 S3") {
    const auto watcher = database.open();
    std::vector<core::Flow> flows;
    for (int i = 0; i < 60; ++i) flows.push_back(put_sample_flow(*watcher));
    const auto seen = race(8, [&](int, const auto& tell) {
        const auto store = database.open();
        for (const auto& flow : flows)
            tell(finalize(*store, finalization_of(flow)) == Applied::yes);
    });
    BOOST_TEST(seen.failed_processes == 0);
    BOOST_TEST(seen.attempts == 480);
    BOOST_TEST(seen.won == 60);
    for (const auto& flow : flows) {
        BOOST_TEST(watcher->flows.find_finalized(flow.id).has_value());
        BOOST_TEST(!watcher->flows.find(flow.id).has_value());
    }
}

STORE_CASE(a_denied_flow_is_marked_and_its_accounts_end, "S6 XE2") {
    const auto store = database.open();
    const auto flow = flow_with_tokens(*store, 2);
    BOOST_TEST((store->flows.deny(flow.id, noon) == Applied::yes));
    const auto denied = store->flows.find(flow.id);
    BOOST_REQUIRE(denied.has_value());
    BOOST_TEST((denied->flow.denied_at == noon));
    BOOST_TEST(denied->flow.revision == flow.revision + 1);
    BOOST_TEST((denied->flow.state == flow.state));
    BOOST_TEST(store->accounts.list(core::Owner::of(flow.id)).empty());
    // Nothing that read the open flow can still change it.
    BOOST_TEST((store->flows.deny(flow.id, noon) == Applied::no));
    BOOST_TEST((finalize(*store, finalization_of(flow)) == Applied::no));
    BOOST_TEST(
        (store->flows.choose_identity(
             flow.id, flow.revision, {core::IdentityKind::user_id, "anna"}, noon) == Applied::no));
    BOOST_TEST(
        (store->accounts.connect_in_flow(flow.id, sample_token("late"), noon) == Applied::no));
    BOOST_TEST(store->accounts.list(core::Owner::of(flow.id)).empty());
}
