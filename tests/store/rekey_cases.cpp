// Moves rows to another server key while other processes use them.
// spec: docs/requirements.md S13
#include "sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using core::KeyState;
using store::Applied;

namespace {

core::LinkedAccount connected(store::Store& store, const core::KeyId& key) {
    const auto flow = put_sample_flow(store);
    auto token = sample_token("notion");
    token.key_id = key;
    BOOST_REQUIRE((store.accounts.connect_in_flow(flow.id, token, noon) == Applied::yes));
    token.owner = core::Owner::of(flow.id);
    return *store.accounts.find(token.owner, token.service);
}

core::LinkedAccount found(store::Store& store, const core::LinkedAccount& token) {
    return *store.accounts.find(token.owner, token.service);
}

store::RekeyedAccount rekeyed(core::LinkedAccount token, const core::KeyId& key) {
    const auto before = token.key_id;
    token.access_token = "anew " + fresh_id();
    token.key_id = key;
    return {std::move(token), before};
}

core::RefreshToken refresh_under(store::Store& store, const core::KeyId& key) {
    const auto finalization = finalization_of(put_sample_flow(store));
    store.flows.finalize(finalization);
    const core::RefreshToken first{
        fresh_digest(), finalization.session.id, key, noon + core::Span(30 * 86400), std::nullopt};
    BOOST_REQUIRE(
        (store.codes.redeem(finalization.code.hash, fresh_id(), first, noon) == Applied::yes));
    return first;
}

core::Rotation rotation_of(const core::RefreshToken& used) {
    return {
        used.hash,
        used.key_id,
        {fresh_digest(), used.session_id, used.key_id, used.expires_at, std::nullopt},
        {fresh_digest(), used.session_id, *core::ScopeSet::parse("mcp"), noon + core::Span(86400)}};
}

// The whole walk, some at a time.
store::Step move_refresh_tokens(
    store::Store& store, const core::KeyId& key, core::Instant used_before,
    std::size_t limit = 500) {
    store::Step all;
    do {
        const auto step = store.server_keys.rekey_refresh_tokens(key, used_before, all.last, limit);
        BOOST_REQUIRE(step.found <= limit);
        all = {step.last, all.found + step.found, all.changed + step.changed};
    } while (!all.last.empty());
    return all;
}

core::KeyUse use_of(store::Store& store, const core::KeyId& key, core::Instant now = noon) {
    for (auto& use : store.server_keys.list_uses(now)) {
        if (use.key == key) return use;
    }
    return {key};
}

core::KeyId fresh_key() { return core::KeyId("k" + fresh_id()); }

} // namespace

STORE_CASE(a_server_key_has_a_state_that_is_used_unless_said_otherwise, "S13") {
    const auto store = database.open();
    const auto state_of = [&](const core::KeyId& key) {
        for (const auto& record : store->server_keys.list()) {
            if (record.id == key) return std::optional(record.state);
        }
        return std::optional<KeyState>();
    };
    const auto one = fresh_key(), two = fresh_key();
    store->server_keys.put({one, fresh_digest()}, noon);
    store->server_keys.put({two, fresh_digest(), KeyState::known}, noon);
    BOOST_TEST((state_of(one) == KeyState::used));
    BOOST_TEST((state_of(two) == KeyState::known));
    BOOST_TEST((store->server_keys.set_state(two, KeyState::used) == Applied::yes));
    BOOST_TEST((store->server_keys.set_state(one, KeyState::removed) == Applied::yes));
    BOOST_TEST((state_of(one) == KeyState::removed));
    BOOST_TEST((state_of(two) == KeyState::used));
    BOOST_TEST((store->server_keys.set_state(fresh_key(), KeyState::used) == Applied::no));
}

STORE_CASE(rows_that_need_a_key_are_counted_in_every_table, "S13") {
    const auto store = database.open();
    const auto key = fresh_key();
    BOOST_TEST(use_of(*store, key).total() == 0);
    connected(*store, key);
    auto service = sample_service();
    service.key_id = key;
    store->services.put(service);
    const auto refresh = refresh_under(*store, key);
    core::UpstreamState state{fresh_digest(), fresh_digest(), service.id, core::FlowId(fresh_id()),
                              std::nullopt,   "verifier",     key,        noon + core::Span(900)};
    store->upstream_states.put(state);
    auto finalization = finalization_of(put_sample_flow(*store));
    finalization.code.key_id = key;
    store->flows.finalize(finalization);
    const auto use = use_of(*store, key);
    BOOST_TEST(use.accounts == 1);
    BOOST_TEST(use.services == 1);
    BOOST_TEST(use.refresh_tokens == 1);
    BOOST_TEST(use.codes == 1);
    BOOST_TEST(use.upstream_states == 1);
    BOOST_TEST(use.total() == 5);
    BOOST_TEST((use.last_expiry == noon + core::Span(900)));
    BOOST_TEST(!use.last_use.has_value());
    store->tokens.rotate_refresh(rotation_of(refresh), noon + core::Span(60));
    BOOST_TEST((use_of(*store, key).last_use == noon + core::Span(60)));
    const auto later = use_of(*store, key, noon + core::Span(900));
    BOOST_TEST(later.codes + later.upstream_states == 0);
    store->services.remove(service.id, true);
}

STORE_CASE(tokens_under_other_keys_are_listed_in_the_order_of_their_ids, "S13") {
    const auto store = database.open();
    const auto key = fresh_key(), old = fresh_key();
    std::vector<std::string> wanted;
    for (int i = 0; i < 7; ++i) wanted.push_back(connected(*store, old).id);
    const auto current = connected(*store, key);
    std::vector<std::string> seen, all;
    for (std::string after;;) {
        const auto some = store->server_keys.list_accounts_to_rekey(key, after, 3);
        if (some.empty()) break;
        BOOST_REQUIRE(some.size() <= 3U);
        for (const auto& token : some) {
            BOOST_TEST((token.key_id != key));
            BOOST_TEST((token.id > after));
            after = token.id;
            if (token.key_id == old) seen.push_back(token.id);
        }
    }
    std::sort(wanted.begin(), wanted.end());
    BOOST_TEST(seen == wanted);
}

STORE_CASE(a_token_that_is_encrypted_anew_keeps_its_version_and_lease, "S13") {
    const auto store = database.open();
    const auto key = fresh_key();
    const auto token = connected(*store, fresh_key());
    BOOST_REQUIRE(
        (store->accounts.claim_refresh(
             token.id, token.version, "lease", noon + core::Span(30), noon) == Applied::yes));
    const auto anew = rekeyed(token, key);
    BOOST_TEST(store->server_keys.rekey_accounts({anew}) == 1);
    const auto now = found(*store, token);
    BOOST_TEST(now.access_token == anew.token.access_token);
    BOOST_TEST((now.key_id == key));
    BOOST_TEST(now.version == token.version);
    BOOST_TEST(
        store->server_keys.rekey_accounts({anew}) == 0); // the second time it is under another key
    auto refreshed = token;
    refreshed.access_token = "refreshed";
    BOOST_TEST(
        (store->accounts.save_refreshed(refreshed, "lease", noon) ==
         Applied::yes)); // the process that claimed it before
    BOOST_TEST((found(*store, token).key_id == token.key_id));
}

STORE_CASE(a_refresh_or_a_reconnect_wins_over_encrypting_anew, "S13") {
    const auto store = database.open();
    const auto key = fresh_key();
    const auto token = connected(*store, fresh_key());
    const auto anew = rekeyed(token, key);
    store->accounts.claim_refresh(token.id, token.version, "lease", noon + core::Span(30), noon);
    auto refreshed = token;
    refreshed.access_token = "refreshed";
    store->accounts.save_refreshed(refreshed, "lease", noon);
    BOOST_TEST(store->server_keys.rekey_accounts({anew}) == 0);
    BOOST_TEST(found(*store, token).access_token == "refreshed");
    const auto other = connected(*store, fresh_key());
    BOOST_TEST(
        store->server_keys.rekey_accounts({anew, rekeyed(other, key)}) ==
        1); // the rest of the batch is done
    store->accounts.remove(token.id);
    BOOST_TEST(store->server_keys.rekey_accounts({rekeyed(refreshed, key)}) == 0);
}

STORE_CASE(a_service_that_an_operator_changed_is_not_encrypted_over, "S13") {
    const auto store = database.open();
    const auto key = fresh_key();
    const auto service = sample_service();
    store->services.put(service);
    auto anew = service;
    anew.client_secret = "anew";
    anew.key_id = key;
    auto changed = service;
    changed.client_secret = "the operator's";
    BOOST_REQUIRE((store->services.update(changed) == Applied::yes));
    BOOST_TEST((store->server_keys.rekey_service(anew, service.key_id) == Applied::no));
    BOOST_TEST(store->services.find(service.id)->client_secret == "the operator's");
    anew.version = service.version + 1;
    anew.registration_token = "sealed anew";
    BOOST_TEST((store->server_keys.rekey_service(anew, service.key_id) == Applied::yes));
    BOOST_TEST((store->server_keys.rekey_service(anew, service.key_id) == Applied::no));
    BOOST_TEST((store->services.find(service.id)->key_id == key));
    BOOST_TEST(store->services.find(service.id)->registration_token == "sealed anew");
    BOOST_TEST(store->services.find(service.id)->version == anew.version);
    store->services.remove(service.id, true);
}

STORE_CASE(unused_refresh_tokens_are_moved_and_used_ones_after_their_grace, "S13 T23") {
    const auto store = database.open();
    const auto key = fresh_key(), old = fresh_key();
    std::vector<core::RefreshToken> tokens;
    for (int i = 0; i < 5; ++i) tokens.push_back(refresh_under(*store, old));
    const auto used = refresh_under(*store, old);
    const auto rotation = rotation_of(used);
    BOOST_REQUIRE((store->tokens.rotate_refresh(rotation, noon) == Applied::yes));
    BOOST_TEST(move_refresh_tokens(*store, key, noon, 2).changed >= 6U);
    for (const auto& token : tokens)
        BOOST_TEST((store->tokens.find_refresh(token.hash)->token.key_id == key));
    BOOST_TEST((store->tokens.find_refresh(rotation.next.hash)->token.key_id == key));
    BOOST_TEST(
        (store->tokens.find_refresh(used.hash)->token.key_id ==
         old)); // it may be answered again, and must be the same
    BOOST_TEST(move_refresh_tokens(*store, key, noon).found == 0);
    move_refresh_tokens(*store, key, noon + core::Span(1));
    BOOST_TEST((store->tokens.find_refresh(used.hash)->token.key_id == key));
    BOOST_TEST((store->tokens.find_refresh(used.hash)->token.used_at == noon));
}

STORE_CASE(a_refresh_that_validated_a_token_under_another_key_validates_it_again, "S13 T21") {
    const auto store = database.open();
    const auto key = fresh_key();
    const auto token = refresh_under(*store, fresh_key());
    const auto valid = rotation_of(token);
    move_refresh_tokens(*store, key, noon);
    BOOST_TEST((store->tokens.rotate_refresh(valid, noon) == Applied::no));
    BOOST_TEST(!store->tokens.find_refresh(valid.next.hash).has_value());
    const auto again = store->tokens.find_refresh(token.hash)->token;
    BOOST_TEST(!again.used_at.has_value());
    BOOST_TEST((store->tokens.rotate_refresh(rotation_of(again), noon) == Applied::yes));
}
