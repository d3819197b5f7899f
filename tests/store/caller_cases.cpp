// Callers leave rows behind in the database, and the sweep deletes them.
#include "sample.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

constexpr std::size_t limit = 5;
const core::Span hour{3600};

core::Client registered_by(const std::string& caller, core::Instant at = noon) {
    auto client = sample_client();
    client.registered_from = caller;
    client.created_at = at;
    return client;
}

// Registers at this time, when what is an hour old gives way.
Applied add(store::Store& store, const core::Client& client) {
    return store.clients.put_registered(client, limit, client.created_at - hour);
}

// Sweeps until nothing is left to delete. out: how often
int sweep_all(store::Store& store, core::Instant now, std::size_t batch, core::Span unused) {
    int sweeps = 1;
    while (store.maintenance.sweep(now, now - unused, batch, now - core::Span(30 * 86400)).more)
        ++sweeps;
    return sweeps;
}

} // namespace

STORE_CASE(a_caller_at_its_limit_is_refused_while_its_clients_are_young, "XD2") {
    const auto store = database.open();
    const auto caller = fresh_id();
    for (std::size_t i = 0; i < limit; ++i)
        BOOST_TEST((add(*store, registered_by(caller)) == Applied::yes));
    const auto refused = registered_by(caller, noon + hour - core::Span(1));
    BOOST_TEST((add(*store, refused) == Applied::no));
    BOOST_TEST(!store->clients.find(refused.id).has_value());
    BOOST_TEST(store->clients.count_by_caller().at(caller) == limit);
    BOOST_TEST((add(*store, registered_by(fresh_id())) == Applied::yes)); // another caller
    BOOST_TEST((store->clients.put_registered(registered_by(caller), 0, noon) == Applied::yes));
}

STORE_CASE(the_oldest_unused_client_of_a_caller_gives_way_after_an_hour, "XD2") {
    const auto store = database.open();
    const auto caller = fresh_id();
    std::vector<core::Client> clients;
    for (std::size_t i = 0; i < limit; ++i) {
        clients.push_back(registered_by(caller, noon + core::Span(static_cast<int>(i))));
        BOOST_REQUIRE((add(*store, clients.back()) == Applied::yes));
    }
    auto flow = sample_flow(clients[0].id); // somebody is signing in with the oldest
    store->flows.put(flow);
    const auto newer = registered_by(caller, noon + hour + core::Span(1));
    BOOST_TEST((add(*store, newer) == Applied::yes));
    BOOST_TEST(store->clients.find(newer.id)->registered_from == caller);
    BOOST_TEST(store->clients.find(clients[0].id).has_value());
    BOOST_TEST(!store->clients.find(clients[1].id).has_value());
    BOOST_TEST(store->clients.find(clients[2].id).has_value());
    // The next one is not an hour old yet.
    BOOST_TEST((add(*store, registered_by(caller, noon + hour + core::Span(1))) == Applied::no));
}

STORE_CASE(a_client_that_was_used_counts_for_nobody_any_more, "XD2") {
    const auto store = database.open();
    const auto caller = fresh_id();
    core::Client used;
    for (std::size_t i = 0; i < limit; ++i) {
        used = registered_by(caller);
        BOOST_REQUIRE((add(*store, used) == Applied::yes));
    }
    BOOST_TEST((add(*store, registered_by(caller)) == Applied::no));
    store->clients.record_use(used.id, noon);
    BOOST_TEST(store->clients.find(used.id)->registered_from.empty());
    BOOST_TEST((add(*store, registered_by(caller)) == Applied::yes));
    const auto later = registered_by(caller, noon + core::Span(2 * 3600));
    for (int i = 0; i < 3; ++i)
        BOOST_TEST((add(*store, registered_by(caller, later.created_at)) == Applied::yes));
    BOOST_TEST(store->clients.find(used.id).has_value());
}

// Ten callers that register and begin sign-ins as fast as they may for a minute. A worker sweeps
// 200 rows of a kind, once a second as long as there are more.
STORE_CASE(the_sweep_keeps_up_with_ten_callers_at_their_limits, "XD2") {
    const auto store = database.open();
    constexpr int callers = 10, clients = 6, flows = 30; // a tenth of the limits, and of the batch
    constexpr std::size_t batch = 20;
    const auto later = noon + core::Span(8 * 86400);
    sweep_all(*store, later, 1000, core::Span(7 * 86400)); // what other cases left
    std::vector<core::ClientId> made;
    for (int caller = 0; caller < callers; ++caller) {
        const auto from = fresh_id();
        for (int i = 0; i < clients; ++i) {
            const auto client = registered_by(from);
            store->clients.put_registered(client, 50, noon - hour);
            made.push_back(client.id);
        }
        for (int i = 0; i < flows; ++i) store->flows.put(sample_flow(made.back()));
    }
    const int sweeps = sweep_all(*store, later, batch, core::Span(7 * 86400));
    for (const auto& client : made) BOOST_TEST(!store->clients.find(client).has_value());
    // 300 flows in batches of 20, and one sweep that finds nothing; a minute has 60 sweeps.
    BOOST_TEST(sweeps == 16);
}

STORE_CASE(open_flows_of_old_clients_hide_no_others_from_the_sweep, "XD2") {
    const auto store = database.open();
    const auto later = noon + core::Span(8 * 86400);
    const auto caller = fresh_id();
    std::vector<core::Client> held;
    for (int i = 0; i < 10; ++i) {
        held.push_back(registered_by(caller, noon - core::Span(100)));
        store->clients.put(held.back());
        auto flow = sample_flow(held.back().id);
        flow.created_at = later;
        flow.expires_at = later + core::Span(900);
        store->flows.put(flow);
    }
    const auto other = registered_by(fresh_id());
    store->clients.put(other);
    sweep_all(*store, later, 10, core::Span(7 * 86400));
    BOOST_TEST(!store->clients.find(other.id).has_value());
    for (const auto& client : held) BOOST_TEST(store->clients.find(client.id).has_value());
}

STORE_CASE(a_client_that_was_used_goes_when_it_is_idle_and_nothing_of_it_lives, "XD2 N9") {
    const auto store = database.open();
    const auto month = core::Span(30 * 86400);
    const auto at = noon + month + core::Span(1);
    const auto idle = sample_client(), fresh = sample_client();
    auto vouched = sample_client(), disabled = sample_client();
    vouched.by_operator = true;
    for (const auto& client : {idle, fresh, vouched, disabled}) store->clients.put(client);
    for (const auto& client : {idle, vouched, disabled}) store->clients.record_use(client.id, noon);
    store->clients.record_use(fresh.id, noon + core::Span(1));
    store->clients.disable(disabled.id);
    // A refresh token keeps the session, and with it the client.
    const auto flow = put_sample_flow(*store);
    store->clients.record_use(flow.client_id, noon);
    auto living = finalization_of(flow);
    living.session.expires_at = at + core::Span(86400);
    store->flows.finalize(living);
    sweep_all(*store, at, 50, core::Span(400 * 86400));
    BOOST_TEST(!store->clients.find(idle.id).has_value());
    BOOST_TEST(store->clients.find(fresh.id).has_value());
    BOOST_TEST(store->clients.find(vouched.id).has_value());
    BOOST_TEST(store->clients.find(disabled.id).has_value()); // it would come back as unknown
    BOOST_TEST(store->clients.find(flow.client_id).has_value());
    sweep_all(*store, living.session.expires_at, 50, core::Span(400 * 86400));
    BOOST_TEST(!store->clients.find(flow.client_id).has_value());
}

STORE_CASE(a_session_that_was_ended_keeps_no_idle_client, "N9") {
    const auto store = database.open();
    const auto at = noon + core::Span(31 * 86400);
    const auto flow = put_sample_flow(*store), other = put_sample_flow(*store);
    std::vector<core::SessionId> sessions;
    for (const auto& one : {flow, other}) {
        store->clients.record_use(one.client_id, noon);
        auto finalization = finalization_of(one);
        finalization.session.expires_at = noon + core::Span(90 * 86400); // by its refresh tokens
        store->flows.finalize(finalization);
        sessions.push_back(finalization.session.id);
    }
    store->sessions.revoke(sessions.front(), noon + core::Span(86400));
    sweep_all(*store, at, 50, core::Span(400 * 86400));
    BOOST_TEST(!store->clients.find(flow.client_id).has_value());
    BOOST_TEST(store->clients.find(other.client_id).has_value());
    BOOST_TEST(store->sessions.find(sessions.front()).has_value()); // it still answers as ended
}

STORE_CASE(a_revoked_access_token_outlasts_every_repetition_of_its_refresh, "XD6 V4") {
    const auto store = database.open();
    const auto finalization = finalization_of(put_sample_flow(*store));
    store->flows.finalize(finalization);
    const core::AccessToken access{
        fresh_digest(), finalization.session.id, *core::ScopeSet::parse("mcp"),
        noon + core::Span(86400)};
    store->tokens.put_access(access);
    store->tokens.revoke_access(access.hash, noon + core::Span(10));
    for (const int after : {11, 40, 3610}) {
        const auto at = noon + core::Span(after);
        sweep_all(*store, at, 50, core::Span(7 * 86400));
        store->tokens.put_access(access); // as a repeated refresh does
        BOOST_TEST_CONTEXT(after)
        BOOST_TEST((store->sessions.find(access.hash)->session.token_ends() <= at));
    }
}
