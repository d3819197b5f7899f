// Differences between engines and between their drivers that a store must hide: counts, long
// values, spellings, errors, several nodes.
#include "sample.h"

#include "tests/support/child.h"

#include <array>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

// Over ODBC, Poco answers the number of bound values to the question for changed rows.
STORE_CASE(a_write_that_meets_no_row_is_a_miss_for_every_verb, "S1") {
    const auto store = database.open();
    const auto unknown = sample_flow(core::ClientId("cgc_" + fresh_id()));
    BOOST_TEST(
        (store->flows.choose_identity(unknown.id, 0, {core::IdentityKind::user_id, "x"}, noon) ==
         Applied::no));
    BOOST_TEST((store->flows.finalize(finalization_of(unknown)) == Applied::no));
    BOOST_TEST((store->flows.deny(unknown.id, noon) == Applied::no));
    BOOST_TEST(
        (store->accounts.connect_in_flow(unknown.id, sample_token("notion"), noon) == Applied::no));
    BOOST_TEST(
        (store->codes.redeem(fresh_digest(), fresh_id(), std::nullopt, noon) == Applied::no));
    BOOST_TEST((store->sessions.revoke(core::SessionId(fresh_id()), noon) == Applied::no));
    BOOST_TEST((store->clients.disable(unknown.client_id) == Applied::no));
    BOOST_TEST(
        (store->virtual_keys.disable(core::VirtualKeyId("vk_" + fresh_id()), noon) == Applied::no));
}

// By default MariaDB counts no row for an UPDATE to the values that are already there.
STORE_CASE(a_choice_made_again_is_a_change_too, "S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const core::Identity anna{core::IdentityKind::user_id, "anna"};
    BOOST_TEST((store->flows.choose_identity(flow.id, flow.revision, anna, noon) == Applied::yes));
    BOOST_TEST(
        (store->flows.choose_identity(flow.id, flow.revision + 1, anna, noon) == Applied::yes));
    store->clients.record_use(flow.client_id, noon);
    store->clients.record_use(flow.client_id, noon);
    BOOST_TEST((store->clients.find(flow.client_id)->last_used_at == noon));
}

// Drivers and Poco have limits at 255, 1023, 4096, 8190 and 65535 bytes, at which text is refused
// or, worse, cut.
STORE_CASE(long_values_come_back_whole, "A22 R8") {
    const auto store = database.open();
    for (const std::size_t size :
         {1U, 190U, 255U, 256U, 1023U, 1024U, 4095U, 4096U, 4097U, 8190U, 8191U, 65535U, 65536U,
          70000U, 300000U}) {
        auto client = sample_client();
        client.metadata = fresh_digest().hex + std::string(size, 'm') + "end";
        client.name = std::string(size, 'n');
        store->clients.put(client);
        auto flow = sample_flow(client.id);
        flow.state = std::string(size, 's');
        store->flows.put(flow);
        BOOST_TEST_CONTEXT(size) {
            BOOST_TEST((store->clients.find(client.id)->metadata == client.metadata));
            BOOST_TEST((store->clients.find(client.id)->name == client.name));
            BOOST_TEST((store->flows.find(flow.id)->flow.state == flow.state));
        }
    }
}

STORE_CASE(bytes_of_every_value_come_back_the_same, "S11") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    auto token = sample_token("notion");
    token.access_token.clear();
    for (int byte = 0; byte < 256; ++byte) token.access_token += static_cast<char>(byte);
    token.refresh_token = std::string("\0\0'\\\"\xff\xfe;--\0", 11);
    store->accounts.connect_in_flow(flow.id, token, noon);
    const auto found = store->accounts.list(core::Owner::of(flow.id));
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST((found[0].access_token == token.access_token));
    BOOST_TEST((found[0].refresh_token == token.refresh_token));
}

STORE_CASE(times_and_revisions_have_64_bits, "S1") {
    const auto store = database.open();
    const auto client = sample_client();
    store->clients.put(client);
    auto flow = sample_flow(client.id);
    flow.revision = std::int64_t{1} << 62;
    flow.expires_at = core::from_epoch(4'102'444'800'000);
    store->flows.put(flow);
    BOOST_TEST(store->flows.find(flow.id)->flow.revision == flow.revision);
    BOOST_TEST((store->flows.find(flow.id)->flow.expires_at == flow.expires_at));
}

// A store looks up the id of a request as it came. Some engines would find it in another case or
// with a trailing blank, and some fail at bytes that are not text; the answer must be "not there".
STORE_CASE(an_id_is_found_by_its_own_bytes_only, "T12 A1") {
    const auto store = database.open();
    auto client = sample_client();
    client.id = core::ClientId("cgc_aBc" + fresh_id());
    store->clients.put(client);
    const auto& id = client.id.text;
    for (const auto& other :
         {id + " ", " " + id, id + "\t", id.substr(0, id.size() - 1), "CGC_ABC" + id.substr(7),
          id + std::string(1, '\0'), std::string(), id + "\xff", std::string("\xc3\x28"),
          std::string("caf\xc3\xa9"), std::string("\xf0\x9f\x98\x80"), std::string(20000, 'x'),
          std::string("' OR '1'='1"), std::string("\\"), std::string("%"), std::string("1\0", 2)}) {
        BOOST_TEST_CONTEXT(other) {
            BOOST_TEST(!store->clients.find(core::ClientId(other)).has_value());
            BOOST_TEST(!store->flows.find(core::FlowId(other)).has_value());
            BOOST_TEST((store->flows.deny(core::FlowId(other), noon) == Applied::no));
        }
    }
    BOOST_TEST(store->clients.find(client.id).has_value());
    for (const auto& no_id :
         {std::string("caf\xc3\xa9"), std::string("x\0", 2), std::string("\xff")}) {
        client.id = core::ClientId(no_id);
        BOOST_CHECK_THROW(store->clients.put(client), store::StoreFailure);
    }
}

// A prepared statement of Poco cannot be used again after a failed execution; the next request must
// not meet it.
STORE_CASE(a_verb_that_failed_works_the_next_time, "S1") {
    const auto store = database.open();
    for (int round = 0; round < 3; ++round) {
        const auto client = sample_client();
        store->clients.put(client);
        BOOST_CHECK_THROW(store->clients.put(client), store::StoreFailure);
        const auto flow = put_sample_flow(*store);
        BOOST_CHECK_THROW(store->flows.put(flow), store::StoreFailure);
        const auto finalization = finalization_of(flow);
        BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
        BOOST_TEST(traces_of(*store, finalization).finalized(0));
    }
}

// Some drivers roll back at an error and let the rest of the transaction commit as another one.
STORE_CASE(a_statement_that_fails_takes_its_whole_transaction_with_it, "S1") {
    const auto store = database.open();
    const auto first = finalization_of(put_sample_flow(*store));
    BOOST_TEST((store->flows.finalize(first) == Applied::yes));
    const auto flow = put_sample_flow(*store);
    store->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
    auto same_code = finalization_of(store->flows.find(flow.id)->flow);
    same_code.code.hash = first.code.hash; // the last statement of the transaction fails
    BOOST_CHECK_THROW(store->flows.finalize(same_code), store::StoreFailure);
    BOOST_TEST(store->flows.find(flow.id).has_value());
    BOOST_TEST(!store->sessions.find(same_code.session.token).has_value());
    BOOST_TEST(store->accounts.list(same_code.flow_owner).size() == 1U);
    BOOST_TEST(store->accounts.list(same_code.session_owner).empty());
}

// Even if an engine tears a transaction apart, a flow cannot give two sessions.
STORE_CASE(a_second_session_of_one_flow_is_refused_by_the_database, "S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    BOOST_TEST((store->flows.finalize(finalization_of(flow)) == Applied::yes));
    store->flows.put(flow); // as if its deletion had been lost
    const auto second = finalization_of(flow);
    BOOST_CHECK_THROW(store->flows.finalize(second), store::StoreFailure);
    BOOST_TEST(!store->sessions.find(second.session.token).has_value());
    BOOST_TEST(!store->codes.find(second.code.hash).has_value());
}

STORE_CASE(a_failure_carries_neither_statements_nor_values, "S14 K47") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    try {
        store->flows.put(flow); // the id is taken
        BOOST_FAIL("a second row with the same id was stored");
    } catch (const store::StoreFailure& failure) {
        const std::string text = failure.what();
        for (const auto& hidden :
             {std::string("INSERT"), flow.id.text, flow.browser.hex, std::string("flow"),
              database.config().password.reveal()}) {
            BOOST_TEST((hidden.empty() || text.find(hidden) == std::string::npos), text);
        }
    }
}

namespace {

// Finalizes every flow from two processes at once, each with its own configuration, each pausing
// after the DELETE of the flow.
// out: for each flow the number of answers yes, and of answers no
std::vector<std::array<int, 2>> race(
    const std::vector<core::Flow>& flows, const std::array<store::StoreConfig, 2>& ways) {
    std::array<int, 2> results{};
    BOOST_REQUIRE(pipe(results.data()) == 0);
    std::vector<pid_t> children;
    for (const auto& way : ways) {
        children.push_back(start_child([&] {
            auto config = way;
            bool flow_deleted = false;
            config.before_statement = [&](std::string_view sql) {
                if (flow_deleted) usleep(3000);
                flow_deleted = sql.starts_with("DELETE FROM flow");
            };
            const auto store = store::open_store(config);
            for (std::size_t i = 0; i < flows.size(); ++i) {
                const std::array<int, 2> answer{
                    static_cast<int>(i),
                    store->flows.finalize(finalization_of(flows[i])) == Applied::yes ? 0 : 1};
                if (write(results[1], answer.data(), sizeof answer) != sizeof answer) return 1;
            }
            return 0;
        }));
    }
    for (const pid_t pid : children)
        BOOST_TEST(end_of(pid) == 0); // a failure in place of the answer no would end it
    close(results[1]);
    std::vector<std::array<int, 2>> answers(flows.size());
    for (std::array<int, 2> answer{};
         read(results[0], answer.data(), sizeof answer) == sizeof answer;)
        ++answers[static_cast<std::size_t>(answer[0])][static_cast<std::size_t>(answer[1])];
    close(results[0]);
    return answers;
}

} // namespace

// On a Galera cluster the two configurations lead to two nodes. A driver that pings between
// statements loses the news that the other node was first, and both win.
STORE_CASE(of_two_that_finalize_a_flow_by_two_nodes_one_wins_and_the_other_knows, "S1 S3") {
    const auto watcher = database.open();
    std::vector<core::Flow> flows;
    for (int i = 0; i < 200; ++i) flows.push_back(put_sample_flow(*watcher));
    const auto answers = race(flows, {database.config(), database.other_config()});
    for (std::size_t i = 0; i < flows.size(); ++i) {
        BOOST_TEST(answers[i][0] == 1);
        BOOST_TEST(answers[i][1] == 1);
        BOOST_TEST(watcher->flows.find_finalized(flows[i].id).has_value());
    }
}

STORE_CASE(of_two_that_redeem_a_code_by_two_nodes_one_wins, "T17 S3") {
    const auto watcher = database.open();
    std::vector<core::Finalization> finalizations;
    for (int i = 0; i < 100; ++i) {
        finalizations.push_back(finalization_of(put_sample_flow(*watcher)));
        watcher->flows.finalize(finalizations.back());
    }
    std::vector<pid_t> children;
    for (const auto& way : {database.config(), database.other_config()}) {
        children.push_back(start_child([&] {
            const auto store = store::open_store(way);
            int won = 0;
            for (const auto& finalization : finalizations)
                won += store->codes.redeem(
                           finalization.code.hash, fresh_id(), std::nullopt, noon) == Applied::yes
                           ? 1
                           : 0;
            return won; // at most 100, so it fits
        }));
    }
    int won = 0;
    for (const pid_t pid : children) won += end_of(pid);
    BOOST_TEST(won == 100);
}

// A code that one machine issues can come back to another at once, and a revoked session must be
// revoked on every machine.
STORE_CASE(a_row_that_one_node_wrote_is_read_by_the_other_at_once, "S1") {
    const auto one = database.open();
    const auto other = store::open_store(database.other_config());
    for (int i = 0; i < 100; ++i) {
        const auto finalization = finalization_of(put_sample_flow(*one));
        one->flows.finalize(finalization);
        BOOST_REQUIRE(other->codes.find(finalization.code.hash).has_value());
        BOOST_REQUIRE(
            (other->codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon) ==
             Applied::yes));
        BOOST_REQUIRE(one->codes.find(finalization.code.hash)->code.redeemed_at.has_value());
        one->sessions.revoke(finalization.session.id, noon);
        BOOST_REQUIRE(
            other->sessions.find(finalization.session.token)->session.revoked_at.has_value());
    }
}
