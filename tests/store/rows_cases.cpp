// Rows come out as they were put: clients, flows, codes, sessions, virtual keys, server keys.
#include "sample.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

STORE_CASE(a_client_comes_back_as_it_was_put, "R8") {
    const auto store = database.open();
    auto client = sample_client();
    client.metadata = "{\"client_uri\":\"https://x.example/" + std::string(20000, 'a') + "\"}";
    client.by_operator = true;
    store->clients.put(client);
    const auto found = store->clients.find(client.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->name == client.name);
    BOOST_TEST(found->redirect_uris == client.redirect_uris);
    BOOST_TEST(found->scope == client.scope);
    BOOST_TEST(found->metadata == client.metadata);
    BOOST_TEST(found->by_operator);
    BOOST_TEST((found->created_at == noon));
    BOOST_TEST(!found->last_used_at.has_value());
    BOOST_TEST(!store->clients.find(core::ClientId("cgc_unknown")).has_value());
}

STORE_CASE(a_client_without_a_name_or_scope_comes_back_without, "R9") {
    const auto store = database.open();
    auto client = sample_client();
    client.name.clear();
    client.scope.clear();
    store->clients.put(client);
    BOOST_TEST(store->clients.find(client.id)->name.empty());
    BOOST_TEST(store->clients.find(client.id)->scope.empty());
}

STORE_CASE(a_client_is_disabled_once_and_its_flows_say_so, "A3") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    BOOST_TEST(store->flows.find(flow.id)->client_active);
    BOOST_TEST((store->clients.disable(flow.client_id) == Applied::yes));
    BOOST_TEST((store->clients.disable(flow.client_id) == Applied::no));
    BOOST_TEST(!store->flows.find(flow.id)->client_active);
    BOOST_TEST(!store->clients.find(flow.client_id)->active);
}

STORE_CASE(a_flow_comes_back_as_it_was_put, "A8 A22") {
    const auto store = database.open();
    auto client = sample_client();
    client.metadata = R"({"client_uri":"https://x.example/"})";
    client.refresh = true;
    store->clients.put(client);
    auto flow = sample_flow(client.id);
    flow.state = std::string(9000, 's') + "&=+%20é\"'";
    flow.redirect_uri += std::string(1500, 'u');
    store->flows.put(flow);
    const auto found = store->flows.find(flow.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST((found->flow.state == flow.state));
    BOOST_TEST(found->flow.redirect_uri == flow.redirect_uri);
    BOOST_TEST((found->flow.browser == flow.browser));
    BOOST_TEST(found->flow.scope.text() == "mcp");
    BOOST_TEST(found->flow.resource == flow.resource);
    BOOST_TEST((found->flow.identity == core::Identity{}));
    BOOST_TEST((found->flow.expires_at == flow.expires_at));
    BOOST_TEST(found->client_name == client.name);
    BOOST_TEST(found->client_metadata == client.metadata);
    BOOST_TEST(found->client_refreshes);
    BOOST_TEST(!found->client_by_operator);
}

STORE_CASE(a_flow_without_state_comes_back_without, "A22") {
    const auto store = database.open();
    const auto client = sample_client();
    store->clients.put(client);
    auto flow = sample_flow(client.id);
    flow.state.reset();
    store->flows.put(flow);
    BOOST_TEST(!store->flows.find(flow.id)->flow.state.has_value());
}

STORE_CASE(an_identity_is_chosen_at_the_revision_that_was_read, "S1") {
    const auto store = database.open();
    const auto key = sample_key();
    store->virtual_keys.put(key);
    const auto flow = put_sample_flow(*store);
    BOOST_TEST(
        (store->flows.choose_identity(
             flow.id, flow.revision + 1, {core::IdentityKind::user_id, "x"}, noon) == Applied::no));
    BOOST_TEST(
        (store->flows.choose_identity(
             flow.id, flow.revision, {core::IdentityKind::virtual_key, key.id.text},
             flow.expires_at) == Applied::no));
    BOOST_TEST(
        (store->flows.choose_identity(
             flow.id, flow.revision, {core::IdentityKind::virtual_key, key.id.text}, noon) ==
         Applied::yes));
    const auto found = store->flows.find(flow.id);
    BOOST_TEST(found->flow.revision == flow.revision + 1);
    BOOST_TEST((found->flow.identity.kind == core::IdentityKind::virtual_key));
    BOOST_TEST(found->virtual_key_name == "Anna");
}

STORE_CASE(a_code_is_redeemed_once_and_stays_marked, "T13 T16 T17") {
    const auto store = database.open();
    const auto finalization = finalization_of(put_sample_flow(*store));
    store->flows.finalize(finalization);
    BOOST_TEST(
        (store->codes.redeem(
             finalization.code.hash, fresh_id(), std::nullopt, finalization.code.expires_at) ==
         Applied::no));
    BOOST_TEST(
        (store->codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon) ==
         Applied::yes));
    BOOST_TEST(
        (store->codes.redeem(finalization.code.hash, fresh_id(), std::nullopt, noon) ==
         Applied::no));
    const auto spent = store->codes.find(finalization.code.hash);
    BOOST_REQUIRE(spent.has_value());
    BOOST_TEST((spent->code.redeemed_at == noon));
    BOOST_TEST(
        (store->codes.redeem(fresh_digest(), fresh_id(), std::nullopt, noon) ==
         Applied::no)); // a miss is not a hit (engines.md finding B)
}

STORE_CASE(a_session_is_revoked_once, "T16") {
    const auto store = database.open();
    const auto finalization =
        finalization_of(put_sample_flow(*store), {core::IdentityKind::user_id, "Ännä"});
    store->flows.finalize(finalization);
    auto view = store->sessions.find(finalization.session.token);
    BOOST_REQUIRE(view.has_value());
    BOOST_TEST(view->session.identity.value == "Ännä");
    BOOST_TEST(view->client_name == "Sämple Client");
    BOOST_TEST(view->client_active);
    BOOST_TEST((store->sessions.revoke(finalization.session.id, noon) == Applied::yes));
    BOOST_TEST((store->sessions.revoke(finalization.session.id, noon) == Applied::no));
    BOOST_TEST((store->sessions.find(finalization.session.token)->session.revoked_at == noon));
    BOOST_TEST(!store->sessions.find(fresh_digest()).has_value());
}

STORE_CASE(a_virtual_key_is_found_by_id_and_by_hash_and_ends_its_sessions, "S11") {
    const auto store = database.open();
    auto key = sample_key();
    key.expires_at = noon + core::Span(60);
    store->virtual_keys.put(key);
    BOOST_TEST(store->virtual_keys.find(key.id)->name == key.name);
    BOOST_TEST(store->virtual_keys.find(key.hash, noon)->services == key.services);
    BOOST_TEST((store->virtual_keys.find(key.hash, noon)->expires_at == key.expires_at));
    BOOST_TEST(!store->virtual_keys.find(fresh_digest(), noon).has_value());

    const auto finalization =
        finalization_of(put_sample_flow(*store), {core::IdentityKind::virtual_key, key.id.text});
    store->flows.finalize(finalization);
    BOOST_TEST(store->sessions.find(finalization.session.token)->virtual_key->usable(noon));
    BOOST_TEST((store->virtual_keys.disable(key.id, noon) == Applied::yes));
    BOOST_TEST((store->virtual_keys.disable(key.id, noon) == Applied::no));
    BOOST_TEST(!store->sessions.find(finalization.session.token)->virtual_key->usable(noon));
}

STORE_CASE(a_rotated_key_works_by_its_old_text_until_the_time_that_was_given, "XF4") {
    const auto store = database.open();
    const auto key = sample_key(), other = sample_key();
    store->virtual_keys.put(key);
    store->virtual_keys.put(other);
    auto& keys = store->virtual_keys;
    const auto fresh = fresh_digest(), fresher = fresh_digest(), last = fresh_digest();
    const auto until = noon + core::Span(3600);
    BOOST_TEST((keys.rotate(key.id, fresh, until) == Applied::yes));
    BOOST_TEST((keys.find(fresh, noon)->id == key.id));
    BOOST_TEST((keys.find(key.hash, until - core::Span(1))->id == key.id));
    BOOST_TEST(!keys.find(key.hash, until).has_value());
    BOOST_TEST((keys.former_until(key.id, noon) == until));
    BOOST_TEST((keys.former_until(key.id, until) == std::nullopt));
    // Another rotation that keeps leaves each text its own time.
    BOOST_TEST((keys.rotate(key.id, fresher, noon + core::Span(60)) == Applied::yes));
    BOOST_TEST((keys.find(key.hash, noon + core::Span(60))->id == key.id));
    BOOST_TEST(!keys.find(fresh, noon + core::Span(60)).has_value());
    // One that does not keep ends them all.
    BOOST_TEST((keys.rotate(key.id, last, std::nullopt) == Applied::yes));
    for (const auto& old : {key.hash, fresh, fresher})
        BOOST_TEST(!keys.find(old, noon).has_value());
    BOOST_TEST((keys.find(last, noon)->id == key.id));
    BOOST_TEST((keys.find(other.hash, noon)->id == other.id));
    // The end of the key is that of its old texts.
    BOOST_TEST((keys.rotate(key.id, fresh, until) == Applied::yes));
    keys.disable(key.id, noon);
    BOOST_TEST(!keys.find(last, noon)->active);
    BOOST_TEST((keys.rotate(key.id, fresher, until) == Applied::no));
    store->maintenance.sweep(until + core::Span(1), noon, 1000);
    BOOST_TEST(!keys.find(last, noon).has_value());
}

STORE_CASE(a_client_is_enabled_again_and_removed_with_its_flows, "XF4") {
    const auto store = database.open();
    const auto client = sample_client(), other = sample_client();
    store->clients.put(client);
    store->clients.put(other);
    BOOST_TEST((store->clients.enable(client.id) == Applied::no));
    store->clients.disable(client.id);
    BOOST_TEST((store->clients.enable(client.id) == Applied::yes));
    BOOST_TEST(store->clients.find(client.id)->active);
    const auto put_flow_of = [&](const core::Client& of) {
        const auto flow = sample_flow(of.id);
        store->flows.put(flow);
        return flow.id;
    };
    const std::vector<core::FlowId> flows{
        put_flow_of(client), put_flow_of(client), put_flow_of(client)};
    const auto kept = put_flow_of(other);
    BOOST_TEST(store->clients.remove_flows(client.id, noon, 2) == 2U);
    BOOST_TEST(store->clients.remove_flows(client.id, noon, 2) == 1U);
    BOOST_TEST(store->clients.remove_flows(client.id, noon, 2) == 0U);
    for (const auto& flow : flows) BOOST_TEST(!store->flows.find(flow).has_value());
    BOOST_TEST(store->flows.find(kept).has_value());
    BOOST_TEST((store->clients.remove(client.id) == Applied::yes));
    BOOST_TEST((store->clients.remove(client.id) == Applied::no));
    BOOST_TEST(!store->clients.find(client.id).has_value());
    BOOST_TEST(store->clients.find(other.id).has_value());
}

STORE_CASE(a_resource_server_is_enabled_again_and_removed, "XF4") {
    const auto store = database.open();
    const core::ResourceServer server{
        core::ResourceServerId(fresh_id()),
        "https://tools.example.org/again",
        fresh_digest(),
        true,
        noon,
        {},
        {}};
    auto& servers = store->resource_servers;
    servers.put(server);
    BOOST_TEST((servers.enable(server.id) == Applied::no));
    servers.disable(server.id);
    BOOST_TEST((servers.enable(server.id) == Applied::yes));
    BOOST_TEST(servers.find(server.id)->active);
    BOOST_TEST((servers.remove(server.id) == Applied::yes));
    BOOST_TEST((servers.remove(server.id) == Applied::no));
    BOOST_TEST(!servers.find(server.id).has_value());
}

STORE_CASE(a_trial_of_writing_commits_and_leaves_nothing, "XF4") {
    const auto store = database.open();
    const auto fresh = fresh_digest();
    BOOST_TEST((store->maintenance.try_to_write(fresh, noon) == Applied::yes));
    BOOST_TEST((store->maintenance.try_to_write(fresh, noon) == Applied::yes));
}

STORE_CASE(keys_clients_and_resource_servers_are_listed, "S11") {
    const auto store = database.open();
    const auto key = sample_key();
    const auto client = sample_client();
    const core::ResourceServer server{
        core::ResourceServerId(fresh_id()),
        "https://tools.example.org/mcp",
        fresh_digest(),
        true,
        noon,
        {"notion"},
        core::ScopeSet::parse("mcp").value()};
    store->virtual_keys.put(key);
    store->clients.put(client);
    store->resource_servers.put(server);
    const auto listed = [](const auto& all, const auto& one) {
        return std::count_if(all.begin(), all.end(), [&](const auto& each) {
            return each.id == one.id && each.created_at == one.created_at &&
                   each.active == one.active;
        });
    };
    BOOST_TEST(listed(store->virtual_keys.list(), key) == 1);
    BOOST_TEST(listed(store->clients.list(), client) == 1);
    BOOST_TEST(listed(store->resource_servers.list(), server) == 1);
}

STORE_CASE(server_keys_are_noted, "S12") {
    const auto store = database.open();
    const core::ServerKeyRecord record{core::KeyId("k" + fresh_id()), fresh_digest()};
    store->server_keys.put(record, noon);
    bool found = false;
    for (const auto& known : store->server_keys.list())
        found = found || (known.id == record.id && known.fingerprint == record.fingerprint);
    BOOST_TEST(found);
    BOOST_CHECK_THROW(store->server_keys.put(record, noon), store::StoreFailure); // and not twice
}

STORE_CASE(a_flow_has_one_account_per_service, "S11") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    store->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
    const auto newer = sample_token("notion");
    store->accounts.connect_in_flow(flow.id, newer, noon);
    const auto tokens = store->accounts.list(core::Owner::of(flow.id));
    BOOST_REQUIRE(tokens.size() == 1U);
    BOOST_TEST(tokens[0].id == newer.id);
    BOOST_TEST(tokens[0].access_token == newer.access_token);
    BOOST_TEST((tokens[0].refresh_token == newer.refresh_token));
}

STORE_CASE(a_sweep_deletes_rows_that_expired_long_ago_and_no_others, "R17") {
    const auto store = database.open();
    const auto later = noon + core::Span(30 * 86400);
    const auto old_flow = put_sample_flow(*store);
    store->accounts.connect_in_flow(old_flow.id, sample_token("notion"), noon);
    const auto old = finalization_of(put_sample_flow(*store));
    store->flows.finalize(old);
    const auto used = sample_client();
    store->clients.put(used);
    store->clients.record_use(used.id, noon);
    auto chosen = sample_client();
    chosen.by_operator = true;
    store->clients.put(chosen);

    auto young = sample_client();
    young.created_at = later;
    store->clients.put(young);
    auto young_flow = sample_flow(young.id);
    young_flow.created_at = later;
    young_flow.expires_at = later + core::Span(900);
    store->flows.put(young_flow);
    const auto fresh = finalization_of(young_flow, {core::IdentityKind::skipped, {}}, later);
    store->flows.finalize(fresh);

    while (store->maintenance.sweep(later, later - core::Span(86400), 50).total() > 0) {}
    BOOST_TEST(!store->flows.find(old_flow.id).has_value());
    BOOST_TEST(store->accounts.list(core::Owner::of(old_flow.id)).empty());
    BOOST_TEST(!store->sessions.find(old.session.token).has_value());
    BOOST_TEST(!store->codes.find(old.code.hash).has_value());
    BOOST_TEST(!store->clients.find(old_flow.client_id).has_value());
    BOOST_TEST(store->clients.find(used.id).has_value());
    BOOST_TEST(store->clients.find(chosen.id).has_value());
    BOOST_TEST(store->clients.find(young.id).has_value());
    BOOST_TEST(traces_of(*store, fresh).finalized(0));
}

STORE_CASE(the_schema_is_the_expected_one_and_migrating_again_is_nothing, "O4") {
    BOOST_TEST(database.open()->maintenance.schema_version() == store::expected_schema_version());
    BOOST_TEST(store::migrate(database.config(), noon).empty());
}

STORE_CASE(the_longest_token_of_all_accounts_is_found_until_its_account_ends, "XB5") {
    const auto store = database.open();
    const auto finalization =
        finalization_of(put_sample_flow(*store), {core::IdentityKind::skipped, {}}, noon);
    BOOST_REQUIRE((store->flows.finalize(finalization) == store::Applied::yes));
    auto account = sample_token("wordy");
    account.owner = core::Owner::of(finalization.session.id);
    account.access_token = std::string(90000, 'x');
    BOOST_REQUIRE(
        (store->accounts.connect_in_session(finalization.session.id, account, noon) ==
         store::Applied::yes));
    const auto longest = store->accounts.find_longest_token();
    BOOST_REQUIRE(longest.has_value());
    BOOST_TEST(longest->service.text == "wordy");
    BOOST_TEST(longest->bytes == 90000U);
    BOOST_REQUIRE((store->accounts.mark_ended(account.id, noon) == store::Applied::yes));
    const auto next = store->accounts.find_longest_token();
    BOOST_TEST((!next || next->service.text != "wordy"));
}
