// Services, people on the way to them, and the accounts that they link there.
// spec: docs/http.md
#include "linked.h"

#include "tests/support/child.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::UpstreamState sample_state(const core::ServiceId& service) {
    return {fresh_digest(),           fresh_digest(),        service,
            core::FlowId(fresh_id()), std::nullopt,          std::string("\0verifier\xff", 10),
            core::KeyId("k1"),        noon + core::Span(900)};
}

} // namespace

STORE_CASE(a_service_is_changed_only_at_the_version_that_was_read, "S7") {
    const auto store = database.open();
    auto service = sample_service();
    store->services.put(service);
    service.name = "Notion, renamed";
    service.client_secret.clear();
    service.active = false;
    BOOST_TEST((store->services.update(service) == Applied::yes));
    BOOST_TEST((store->services.update(service) == Applied::no));
    const auto back = *store->services.find(service.id);
    BOOST_TEST(back.name == "Notion, renamed");
    BOOST_TEST(back.client_secret.empty());
    BOOST_TEST(!back.active);
    BOOST_TEST(back.version == service.version + 1);
    BOOST_TEST((store->services.update(back) == Applied::yes));
    store->services.remove(service.id, true);
    BOOST_TEST((store->services.update(*std::optional(back)) == Applied::no));
}

STORE_CASE(a_removed_service_takes_its_accounts_and_sign_ins_with_it, "S7") {
    const auto store = database.open();
    const auto service = sample_service(), other = sample_service();
    store->services.put(service);
    store->services.put(other);
    const auto token = connected(*store, service.id), kept = connected(*store, other.id);
    const auto state = sample_state(service.id), kept_state = sample_state(other.id);
    store->upstream_states.put(state);
    store->upstream_states.put(kept_state);
    BOOST_TEST((store->services.remove(service.id, true) == Applied::yes));
    BOOST_TEST((store->services.remove(service.id, true) == Applied::no));
    BOOST_TEST(!store->services.find(service.id).has_value());
    BOOST_TEST(!store->accounts.find(token.owner, service.id).has_value());
    BOOST_TEST(!store->upstream_states.find(state.state).has_value());
    BOOST_TEST(store->accounts.find(kept.owner, other.id).has_value());
    BOOST_TEST(store->upstream_states.find(kept_state.state).has_value());
    store->services.remove(other.id, true);
}

STORE_CASE(a_person_on_the_way_to_a_service_comes_back_once, "S7") {
    const auto store = database.open();
    const auto state = sample_state(core::ServiceId("notion"));
    store->upstream_states.put(state);
    const auto back = store->upstream_states.find(state.state);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST((back->browser == state.browser));
    BOOST_TEST((back->service == state.service));
    BOOST_TEST((back->flow == state.flow));
    BOOST_TEST(!back->session.has_value());
    BOOST_TEST((back->verifier == state.verifier));
    BOOST_TEST((back->key_id == state.key_id));
    BOOST_TEST((back->expires_at == state.expires_at));
    BOOST_TEST(store->upstream_states.has(state.browser, state.service));
    BOOST_TEST(!store->upstream_states.has(state.browser, core::ServiceId("another")));
    BOOST_TEST(!store->upstream_states.has(fresh_digest(), state.service));
    BOOST_TEST((store->upstream_states.consume(state.state, noon) == Applied::yes));
    BOOST_TEST(!store->upstream_states.has(state.browser, state.service));
    BOOST_TEST((store->upstream_states.consume(state.state, noon) == Applied::no));
    BOOST_TEST(!store->upstream_states.find(state.state).has_value());

    auto late = sample_state(core::ServiceId("notion"));
    late.flow.reset();
    late.session = core::SessionId(fresh_id());
    store->upstream_states.put(late);
    BOOST_TEST((store->upstream_states.find(late.state)->session == late.session));
    BOOST_TEST((store->upstream_states.consume(late.state, late.expires_at) == Applied::no));
    BOOST_TEST(
        (store->upstream_states.consume(late.state, late.expires_at - core::Span(1)) ==
         Applied::yes));
}

STORE_CASE(of_many_that_take_one_sign_in_at_once_one_does, "S7") {
    const auto state = sample_state(core::ServiceId("notion"));
    database.open()->upstream_states.put(state);
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
        children.push_back(start_child([&] {
            return store::open_store(i % 2 == 0 ? database.config() : database.other_config())
                               ->upstream_states.consume(state.state, noon) == Applied::yes
                       ? 1
                       : 0;
        }));
    }
    int winners = 0;
    for (const auto child : children) winners += end_of(child);
    BOOST_TEST(winners == 1);
}

STORE_CASE(a_link_is_good_once, "S7") {
    const auto store = database.open();
    const auto link = fresh_digest();
    BOOST_TEST((
        store->upstream_states.use_link(link, noon + core::Span(600), fresh_id()) == Applied::yes));
    BOOST_TEST(
        (store->upstream_states.use_link(link, noon + core::Span(600), fresh_id()) == Applied::no));
    BOOST_TEST(
        (store->upstream_states.use_link(fresh_digest(), noon + core::Span(600), fresh_id()) ==
         Applied::yes));
}

STORE_CASE(sign_ins_and_links_that_expired_are_swept, "S7") {
    const auto store = database.open();
    const auto state = sample_state(core::ServiceId("notion"));
    const auto link = fresh_digest();
    store->upstream_states.put(state);
    store->upstream_states.use_link(link, state.expires_at, fresh_id());
    while (store->maintenance.sweep(state.expires_at, noon - core::Span(86400), 100).total() > 0) {}
    BOOST_TEST(store->upstream_states.find(state.state).has_value());
    while (store->maintenance.sweep(state.expires_at + core::Span(1), noon - core::Span(86400), 100)
               .total() > 0) {}
    BOOST_TEST(!store->upstream_states.find(state.state).has_value());
    BOOST_TEST(
        (store->upstream_states.use_link(link, state.expires_at, fresh_id()) == Applied::yes));
}

STORE_CASE(a_service_and_the_account_linked_there_are_found_together, "S11") {
    const auto store = database.open();
    const auto service = sample_service();
    store->services.put(service);
    const auto token = connected(*store, service.id);
    const auto both = store->accounts.find_with_service(token.owner, service.id);
    BOOST_REQUIRE((both.service && both.token));
    BOOST_TEST(both.service->token_endpoint == service.token_endpoint);
    BOOST_TEST(both.service->version == service.version);
    BOOST_TEST(both.token->id == token.id);
    BOOST_TEST(both.token->access_token == token.access_token);
    BOOST_TEST((both.token->expires_at == token.expires_at));

    const auto stranger =
        store->accounts.find_with_service(core::Owner::of(core::SessionId(fresh_id())), service.id);
    BOOST_TEST((stranger.service && !stranger.token));
    const auto nowhere =
        store->accounts.find_with_service(token.owner, core::ServiceId(fresh_id()));
    BOOST_TEST((!nowhere.service && !nowhere.token));
}

STORE_CASE(connecting_again_replaces_the_account, "S11") {
    const auto store = database.open();
    const auto session = put_session(*store, put_sample_flow(*store));
    auto first = sample_token("notion");
    first.owner = core::Owner::of(session.id);
    BOOST_REQUIRE((store->accounts.connect_in_session(session.id, first, noon) == Applied::yes));
    store->accounts.claim_refresh(first.id, first.version, "lease", noon + core::Span(30), noon);
    auto second = sample_token("notion");
    second.owner = first.owner;
    BOOST_REQUIRE((store->accounts.connect_in_session(session.id, second, noon) == Applied::yes));
    BOOST_TEST(store->accounts.list(first.owner).size() == 1U);
    BOOST_TEST(found(*store, first).id == second.id);
    // The refresh that was in progress then overwrites nothing.
    BOOST_TEST((store->accounts.save_refreshed(first, "lease", noon) == Applied::no));
    BOOST_TEST(found(*store, first).access_token == second.access_token);
    BOOST_TEST(
        (store->accounts.claim_refresh(
             second.id, second.version, "other", noon + core::Span(30), noon) == Applied::yes));
}

STORE_CASE(nothing_is_connected_for_a_session_that_is_over, "S11") {
    const auto store = database.open();
    const auto session = put_session(*store, put_sample_flow(*store));
    auto token = sample_token("notion");
    token.owner = core::Owner::of(session.id);
    BOOST_TEST(
        (store->accounts.connect_in_session(session.id, token, session.expires_at) == Applied::no));
    store->sessions.revoke(session.id, noon);
    BOOST_TEST((store->accounts.connect_in_session(session.id, token, noon) == Applied::no));
    BOOST_TEST(
        (store->accounts.connect_in_session(core::SessionId(fresh_id()), token, noon) ==
         Applied::no));
    BOOST_TEST(store->accounts.list(token.owner).empty());
}

STORE_CASE(a_used_token_is_marked_and_a_removed_one_is_gone, "S11") {
    const auto store = database.open();
    const auto token = connected(*store);
    BOOST_TEST(!found(*store, token).last_used_at.has_value());
    store->accounts.record_use(token.id, noon + core::Span(5));
    BOOST_TEST((found(*store, token).last_used_at == noon + core::Span(5)));
    BOOST_TEST(found(*store, token).version == token.version);
    BOOST_TEST((store->accounts.remove(token.id) == Applied::yes));
    BOOST_TEST((store->accounts.remove(token.id) == Applied::no));
    BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
}

STORE_CASE(of_many_that_want_to_refresh_at_once_one_may, "S9") {
    const auto token = connected(*database.open());
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        children.push_back(start_child([&] {
            const auto store =
                store::open_store(i % 2 == 0 ? database.config() : database.other_config());
            return store->accounts.claim_refresh(
                       token.id, token.version, fresh_id(), noon + core::Span(30), noon) ==
                           Applied::yes
                       ? 1
                       : 0;
        }));
    }
    int winners = 0;
    for (const auto child : children) winners += end_of(child);
    BOOST_TEST(winners == 1);
}

STORE_CASE(a_lease_ends_with_its_time_when_its_holder_died, "S9") {
    const auto store = database.open();
    const auto token = connected(*store);
    const auto until = noon + core::Span(30);
    BOOST_TEST(
        (store->accounts.claim_refresh(token.id, token.version, "dead", until, noon) ==
         Applied::yes));
    BOOST_TEST(
        (store->accounts.claim_refresh(
             token.id, token.version, "next", until + core::Span(30), until - core::Span(1)) ==
         Applied::no));
    BOOST_TEST(
        (store->accounts.claim_refresh(
             token.id, token.version, "next", until + core::Span(30), until) == Applied::yes));
    BOOST_TEST(
        (store->accounts.save_refreshed(token, "dead", until) ==
         Applied::no)); // it comes to life too late
    BOOST_TEST((store->accounts.note_refresh_failure(token, "dead") == Applied::no));
    BOOST_TEST((store->accounts.save_refreshed(token, "next", until) == Applied::yes));
}

STORE_CASE(a_refreshed_account_is_saved_and_its_lease_and_failures_end, "S9") {
    const auto store = database.open();
    auto token = connected(*store);
    store->accounts.claim_refresh(token.id, token.version, "one", noon + core::Span(30), noon);
    token.failures = 2;
    token.retry_at = noon + core::Span(60);
    token.broken_at = noon;
    BOOST_TEST((store->accounts.note_refresh_failure(token, "one") == Applied::yes));
    auto failed = found(*store, token);
    BOOST_TEST(failed.failures == 2);
    BOOST_TEST((failed.retry_at == token.retry_at));
    BOOST_TEST((failed.broken_at == noon));
    BOOST_TEST(failed.version == token.version + 1);
    BOOST_TEST(failed.access_token == token.access_token);
    BOOST_TEST(
        (store->accounts.claim_refresh(
             token.id, token.version, "two", noon + core::Span(90), noon) ==
         Applied::no)); // read before that
    BOOST_TEST(
        (store->accounts.claim_refresh(
             token.id, failed.version, "two", noon + core::Span(90), noon) == Applied::yes));
    failed.access_token = "refreshed";
    failed.refresh_token.clear();
    failed.key_id = core::KeyId("k2");
    failed.expires_at.reset();
    BOOST_TEST(
        (store->accounts.save_refreshed(failed, "two", noon + core::Span(9)) == Applied::yes));
    const auto kept = found(*store, token);
    BOOST_TEST(kept.access_token == "refreshed");
    BOOST_TEST(kept.refresh_token.empty());
    BOOST_TEST((kept.key_id == core::KeyId("k2")));
    BOOST_TEST(!kept.expires_at.has_value());
    BOOST_TEST(kept.failures == 0);
    BOOST_TEST(!kept.retry_at.has_value());
    BOOST_TEST(!kept.broken_at.has_value());
    BOOST_TEST(kept.version == failed.version + 1);
    BOOST_TEST((kept.updated_at == noon + core::Span(9)));
    BOOST_TEST((store->accounts.save_refreshed(failed, "two", noon) == Applied::no));
}

STORE_CASE(a_session_is_found_by_its_id, "S11") {
    const auto store = database.open();
    const auto session = put_session(*store, put_sample_flow(*store));
    const auto view = store->sessions.find(session.id);
    BOOST_REQUIRE(view.has_value());
    BOOST_TEST((view->session.id == session.id));
    BOOST_TEST((view->session.client_id == session.client_id));
    BOOST_TEST(view->client_active);
    BOOST_TEST(!store->sessions.find(core::SessionId(fresh_id())).has_value());
}

STORE_CASE(a_browser_sees_the_sessions_it_consented_to_and_no_others, "S11") {
    const auto store = database.open();
    const auto browser = fresh_digest();
    const auto consented = [&](int seconds) {
        const auto client = sample_client();
        store->clients.put(client);
        auto flow = sample_flow(client.id);
        flow.browser = browser;
        store->flows.put(flow);
        return put_session(*store, flow, noon + core::Span(seconds)).id;
    };
    const auto oldest = consented(0), revoked = consented(1), newest = consented(2);
    put_session(*store, put_sample_flow(*store)); // another browser's
    store->sessions.revoke(revoked, noon + core::Span(3));
    const auto seen = store->sessions.list_of_browser(browser, noon + core::Span(4));
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST((seen[0].session.id == newest));
    BOOST_TEST((seen[1].session.id == oldest));
    BOOST_TEST(store->sessions.list_of_browser(browser, noon + core::Span(86401)).size() == 1U);
    BOOST_TEST(store->sessions.list_of_browser(fresh_digest(), noon).empty());
}

STORE_CASE(a_resource_server_has_the_services_it_was_given, "S11") {
    const auto store = database.open();
    core::ResourceServer server;
    server.id = core::ResourceServerId("cgrs_" + fresh_id());
    server.resource = "https://tools.example.org/mcp";
    server.secret = fresh_digest();
    server.created_at = noon;
    auto other = server;
    other.id = core::ResourceServerId("cgrs_" + fresh_id());
    server.services = {"notion", "github"};
    store->resource_servers.put(server);
    store->resource_servers.put(other);
    BOOST_TEST((store->resource_servers.find(server.id)->services == server.services));
    BOOST_TEST(store->resource_servers.find(other.id)->services.empty());
}
