// Failures that only servers have: ended sessions, lost answers, other hosts, locks. The promise is
// the same.
#include "lossy_proxy.h"
#include "sample.h"

#include "tests/support/child.h"

#include <Poco/String.h>

#include <thread>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

bool is_postgresql(const TestDatabase& database) {
    return database.config().engine == store::Engine::postgresql;
}

// Ends every session of consentgate's user with the database, as an operator or a restart does.
void end_sessions(TestDatabase& database) {
    database.servers()->sql(
        1, is_postgresql(database)
               ? "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = "
                 "'consentgate'"
               : "KILL HARD CONNECTION USER consentgate");
}

store::StoreConfig through(const LossyProxy& proxy, const TestDatabase& database) {
    auto config = database.config();
    config.hosts = {{"127.0.0.1", proxy.port()}};
    return config;
}

// Runs the verb on a store whose answer to the verb's COMMIT is lost on the way. out: what the verb
// says
template <class Verb> auto without_answer(TestDatabase& database, const Verb& verb) {
    LossyProxy proxy(database.servers()->port(1));
    const auto store = store::open_store(through(proxy, database));
    store->maintenance.schema_version(); // connected
    proxy.lose_next_answer();
    struct Lost {
        LossyProxy& tap;
        ~Lost() { BOOST_TEST(tap.lost() == 1); }
    } const lost{proxy};
    return verb(*store);
}

// On every statement of the verb in turn, all sessions are ended before it runs. out: how many
// statements there were
template <class Verb>
std::size_t with_sessions_ended_at_each_statement(TestDatabase& database, const Verb& verb) {
    for (std::size_t fatal = 1;; ++fatal) {
        std::size_t seen = 0;
        const auto store = database.open([&](std::string_view) {
            if (++seen == fatal) end_sessions(database);
        });
        verb(*store);
        if (seen < fatal) return seen;
    }
}

std::string failure_of(const store::StoreConfig& config) {
    try {
        store::open_store(config)->maintenance.schema_version();
        return "no failure";
    } catch (const store::StoreFailure& failure) {
        return failure.what();
    }
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

SERVER_CASE(a_session_that_the_server_ended_costs_no_request, "S15") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    end_sessions(database);
    BOOST_TEST(store->flows.find(flow.id).has_value());
    end_sessions(database);
    BOOST_TEST((store->flows.finalize(finalization_of(flow)) == Applied::yes));
}

SERVER_CASE(a_session_ended_while_a_flow_is_finalized_leaves_it_finalized_once, "S1") {
    const auto watcher = database.open();
    const auto statements =
        with_sessions_ended_at_each_statement(database, [&](store::Store& store) {
            const auto flow = put_sample_flow(*watcher);
            watcher->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
            const auto finalization = finalization_of(watcher->flows.find(flow.id)->flow);
            BOOST_TEST((finalize(store, finalization) == Applied::yes));
            BOOST_TEST(traces_of(*watcher, finalization).finalized(1));
        });
    BOOST_TEST(statements >= 8U);
}

SERVER_CASE(a_finalized_flow_whose_answer_was_lost_is_found_to_be_finalized, "S1") {
    const auto watcher = database.open();
    const auto finalization = finalization_of(put_sample_flow(*watcher));
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.flows.finalize(finalization);
                }) == Applied::yes));
    BOOST_TEST(traces_of(*watcher, finalization).finalized(0));
    // A try that found the flow gone is not taken for a finalized flow.
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.flows.finalize(finalization_of(put_sample_flow(*watcher)));
                }) == Applied::yes));
    auto late = finalization_of(sample_flow(core::ClientId("cgc_" + fresh_id())));
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.flows.finalize(late);
                }) == Applied::no));
}

// Taken for a replay, the second look would end the session.
SERVER_CASE(a_redemption_whose_answer_was_lost_is_recognised_as_ones_own, "T16 T17") {
    const auto watcher = database.open();
    const auto finalization = finalization_of(put_sample_flow(*watcher));
    watcher->flows.finalize(finalization);
    const auto redeem = [&](store::Store& store) {
        return store.codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon);
    };
    BOOST_TEST((without_answer(database, redeem) == Applied::yes));
    BOOST_TEST((without_answer(database, redeem) == Applied::no)); // another's
}

SERVER_CASE(every_other_write_whose_answer_was_lost_is_found_to_be_done, "S1") {
    const auto watcher = database.open();
    const auto client = sample_client();
    without_answer(database, [&](store::Store& store) { store.clients.put(client); });
    BOOST_TEST(watcher->clients.find(client.id).has_value());
    auto flow = sample_flow(client.id);
    without_answer(database, [&](store::Store& store) { store.flows.put(flow); });
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.flows.choose_identity(
                        flow.id, 0, {core::IdentityKind::user_id, "anna"}, noon);
                }) == Applied::yes));
    BOOST_TEST(watcher->flows.find(flow.id)->flow.revision == 1);
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
                }) == Applied::yes));
    BOOST_TEST(watcher->accounts.list(core::Owner::of(flow.id)).size() == 1U);
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.flows.deny(flow.id, noon);
                }) == Applied::yes));
    BOOST_TEST(watcher->flows.find(flow.id)->flow.denied_at.has_value());

    const auto finalization = finalization_of(put_sample_flow(*watcher));
    watcher->flows.finalize(finalization);
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.sessions.revoke(finalization.session.id, noon);
                }) == Applied::yes));
    const auto key = sample_key();
    without_answer(database, [&](store::Store& store) { store.virtual_keys.put(key); });
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.virtual_keys.disable(key.id, noon);
                }) == Applied::yes));
    BOOST_TEST((without_answer(database, [&](store::Store& store) {
                    return store.clients.disable(client.id);
                }) == Applied::yes));
    without_answer(
        database, [&](store::Store& store) { store.clients.record_use(client.id, noon); });
    const core::ServerKeyRecord record{core::KeyId("k" + fresh_id()), fresh_digest()};
    without_answer(database, [&](store::Store& store) { store.server_keys.put(record, noon); });
}

SERVER_CASE(an_outcome_that_cannot_be_found_out_is_said_to_be_unknown, "S1") {
    const auto watcher = database.open();
    const auto finalization = finalization_of(put_sample_flow(*watcher));
    auto proxy = std::make_unique<LossyProxy>(database.servers()->port(1));
    auto config = through(*proxy, database);
    config.wait = std::chrono::milliseconds(400);
    bool gone = false;
    config.before_statement = [&](std::string_view sql) {
        if (sql != "COMMIT" || gone) return;
        gone = true;
        proxy.reset(); // the connection is gone when the answer should come
    };
    const auto store = store::open_store(config);
    try {
        store->flows.finalize(finalization);
        BOOST_FAIL("the outcome of a commit without an answer was said to be known");
    } catch (const store::StoreFailure& failure) {
        BOOST_TEST(!failure.outcome_known());
    }
    const auto traces = traces_of(*watcher, finalization);
    BOOST_TEST((traces.finalized(0) || traces.untouched(0)));
}

SERVER_CASE(hosts_are_tried_in_their_order, "S15") {
    auto config = database.config();
    const LossyProxy proxy(database.servers()->port(1));
    config.hosts = {{"127.0.0.1", 1}, {"127.0.0.1", proxy.port()}, {"127.0.0.1", 2}};
    const auto store = store::open_store(config);
    BOOST_TEST(store->maintenance.schema_version() == store::expected_schema_version());
    config.hosts = {{"127.0.0.1", 1}, {"127.0.0.1", 2}};
    const auto failure = failure_of(config);
    BOOST_TEST(holds(failure, "127.0.0.1:1:"), failure);
    BOOST_TEST(holds(failure, "127.0.0.1:2:"), failure);
}

SERVER_CASE(a_store_without_a_server_fails_and_finds_it_again, "S15") {
    auto proxy = std::make_unique<LossyProxy>(database.servers()->port(1));
    const auto config = through(*proxy, database);
    const int port = proxy->port();
    const auto store = store::open_store(config);
    const auto flow = put_sample_flow(*store);
    proxy.reset();
    BOOST_CHECK_THROW(store->flows.find(flow.id), store::StoreFailure);
    BOOST_CHECK_THROW(store->flows.finalize(finalization_of(flow)), store::StoreFailure);
    proxy = std::make_unique<LossyProxy>(database.servers()->port(1), port);
    usleep(150000); // for a moment after no host was to be had, none is asked
    const auto finalization = finalization_of(flow);
    BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    BOOST_TEST(traces_of(*store, finalization).finalized(0));
}

SERVER_CASE(the_reason_for_a_failed_connection_is_named_without_the_password, "K47") {
    const auto expect = [&](const store::StoreConfig& config, const std::string& reason) {
        const auto failure = failure_of(config);
        BOOST_TEST(holds(failure, reason), failure);
        BOOST_TEST(!holds(failure, config.password.reveal()), failure);
        BOOST_TEST(!holds(failure, "PWD"), failure);
    };
    auto config = database.config();
    config.password = core::Secret("hunter2;}{'\"");
    expect(config, "refuses the user or the password");
    config = database.config();
    config.hosts = {{"127.0.0.1", 1}};
    expect(config, "127.0.0.1:1: nothing answers there");
    config.hosts = {{"no-such-host.invalid", 1}};
    expect(config, "the host's name is not known");
    config = database.config();
    config.name = "nowhere";
    expect(config, "there is no such database");
    config = database.config();
    config.tls = store::Tls::verify;
    expect(config, "certificate is not trusted");
}

// Frozen, it keeps its connections and takes what is sent; drivers would wait for ever.
SERVER_CASE(a_server_that_stopped_answering_is_given_up_in_time, "S15") {
    auto config = database.config();
    config.wait = std::chrono::milliseconds(500);
    const auto store = store::open_store(config);
    const auto flow = put_sample_flow(*store);
    database.servers()->tell("pause 1");
    BOOST_CHECK_THROW(store->flows.find(flow.id), store::StoreFailure);
    BOOST_CHECK_THROW(store->flows.finalize(finalization_of(flow)), store::StoreFailure);
    database.servers()->tell("resume 1");
    const auto answers = [&] {
        try {
            return store->flows.find(flow.id).has_value();
        } catch (const store::StoreFailure&) {
            return false;
        }
    };
    for (int i = 0; i < 300 && !answers(); ++i) usleep(100000);
    const auto finalization = finalization_of(flow);
    for (int i = 0; i < 300; ++i) { // a cluster's node that was away comes back by and by
        try {
            BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
            break;
        } catch (const store::StoreFailure&) {
            usleep(100000);
        }
    }
    BOOST_TEST(traces_of(*database.open(), finalization).finalized(0));
}

// Connection strings have quoting rules that not all drivers keep.
SERVER_CASE(a_password_may_hold_any_sign, "S15") {
    for (const std::string password :
         {"plain", "semicolon;UID=root", "{braces} and }{", "quotes ' and \"",
          "back\\slash \\' end\\", "per%cent %41 =equals=", "  blanks  ",
          "p\u00e4ssw\u00f6rd \u2603"}) {
        const auto quoted = Poco::replace(
            is_postgresql(database) ? password : Poco::replace(password, "\\", "\\\\"), "'", "''");
        auto config = database.config();
        config.user = "u" + fresh_digest().hex.substr(0, 12);
        if (is_postgresql(database)) {
            database.servers()->sql(
                1, "CREATE ROLE " + config.user + " LOGIN PASSWORD '" + quoted +
                       "' IN ROLE consentgate");
        } else {
            database.servers()->sql(
                1, "CREATE USER " + config.user + "@'%' IDENTIFIED BY '" + quoted + "'");
            database.servers()->sql(1, "GRANT ALL ON consentgate.* TO " + config.user + "@'%'");
        }
        config.password = core::Secret(password);
        const auto failure = failure_of(config);
        const bool cannot =
            password.starts_with(' ') &&
            !is_postgresql(database); // its driver cuts blanks off, and is not asked
        BOOST_TEST_CONTEXT(password)
        BOOST_TEST(holds(failure, cannot ? "begins or ends with a blank" : "no failure"), failure);
    }
}

SERVER_CASE(a_locked_row_is_waited_for_as_long_as_configured_and_no_longer, "S15") {
    const auto finalization = finalization_of(put_sample_flow(*database.open()));
    // The lock is on one node: on a cluster, locks are each node's own.
    const auto hold = [&](const std::string& seconds) {
        const auto record_use =
            "UPDATE flow SET revision = revision WHERE id = '" + finalization.flow_id.text + "'";
        return std::thread([&database, record_use, seconds] {
            database.servers()->sql(
                1, is_postgresql(database)
                       ? "BEGIN; " + record_use + "; SELECT pg_sleep(" + seconds + "); COMMIT"
                       : "BEGIN; " + record_use + "; SELECT SLEEP(" + seconds + "); COMMIT");
        });
    };
    auto config = database.config();
    config.wait = std::chrono::milliseconds(1000);
    auto holder = hold("3");
    usleep(500000);
    BOOST_CHECK_THROW(store::open_store(config)->flows.finalize(finalization), store::StoreFailure);
    holder.join();
    BOOST_TEST(traces_of(*database.open(), finalization).untouched(0));
    holder = hold("1");
    usleep(300000);
    BOOST_TEST((database.open()->flows.finalize(finalization) == Applied::yes));
    holder.join();
}

SERVER_CASE(tls_is_verified_against_the_authority_that_is_named, "S15") {
    auto config = database.config();
    config.tls = store::Tls::verify;
    config.tls_ca = database.servers()->folder() + "/ca.pem";
    BOOST_TEST(failure_of(config) == "no failure");
    config.tls_ca.clear(); // the system's authorities, who do not know our servers
    BOOST_TEST(failure_of(config) != "no failure");
    config.tls_ca = database.servers()->folder() + "/missing.pem";
    BOOST_TEST(failure_of(config) != "no failure");
    config.tls = store::Tls::encrypt;
    config.tls_ca.clear();
    BOOST_TEST(failure_of(config) == "no failure");
    config.tls = store::Tls::verify;
    config.tls_ca = database.servers()->folder() + "/ca.pem";
    config.hosts[0].name =
        "127.0.0.2"; // the same server, under an address its certificate does not have
    BOOST_TEST(failure_of(config) != "no failure");
}

// Poco asks MariaDB's driver whether it is connected before each statement, and the driver sends a
// ping. On a cluster the ping can swallow the news that the transaction was rolled back.
SERVER_CASE(between_statements_nothing_is_sent, "S1 S3") {
    if (is_postgresql(database)) return; // its driver does not ping
    const auto store = database.open();
    const auto other = sample_client();
    store->clients.put(other);
    const auto pings = [&] {
        return database.servers()->sql(
            1, "SELECT variable_value FROM information_schema.global_status WHERE variable_name = "
               "'Com_admin_commands'");
    };
    const auto finalization = finalization_of(put_sample_flow(*store));
    const auto before = pings();
    BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    BOOST_TEST(store->sessions.find(finalization.session.token).has_value());
    BOOST_TEST(pings() == before);
}
