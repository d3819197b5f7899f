// Linked accounts that ended: their revocation at the service, by one worker at a time.
// spec: docs/requirements.md S10
#include "sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

struct Connected {
    core::SessionId session;
    core::LinkedAccount token;
};

core::LinkedAccount found(store::Store& store, const core::LinkedAccount& token) {
    return *store.accounts.find(token.owner, token.service);
}

// At a service of its own, unless one is named.
Connected connected(
    store::Store& store, const core::ServiceId& service = core::ServiceId(fresh_id())) {
    const auto finalization =
        finalization_of(put_sample_flow(store), {core::IdentityKind::skipped, {}}, noon);
    BOOST_REQUIRE((store.flows.finalize(finalization) == Applied::yes));
    auto token = sample_token(service.text);
    token.owner = core::Owner::of(finalization.session.id);
    BOOST_REQUIRE(
        (store.accounts.connect_in_session(finalization.session.id, token, noon) == Applied::yes));
    return {finalization.session.id, found(store, token)};
}

std::optional<core::LinkedAccount> to_be_revoked(
    store::Store& store, const core::LinkedAccount& token, core::Instant now) {
    const auto all = store.accounts.list_to_revoke(now, 10000);
    const auto one = std::find_if(
        all.begin(), all.end(), [&](const auto& ended) { return ended.id == token.id; });
    return one == all.end() ? std::nullopt : std::optional(*one);
}

// Connected with a virtual key, at a service of its own.
core::LinkedAccount of_key(store::Store& store, const core::VirtualKey& key) {
    const core::Identity identity{core::IdentityKind::virtual_key, key.id.text};
    const auto finalization = finalization_of(put_sample_flow(store), identity, noon);
    BOOST_REQUIRE((store.flows.finalize(finalization) == Applied::yes));
    auto token = sample_token(fresh_id());
    token.owner = identity.owner(finalization.session.id);
    BOOST_REQUIRE(
        (store.accounts.connect_in_session(finalization.session.id, token, noon) == Applied::yes));
    return found(store, token);
}

core::LinkedAccount in_flow(store::Store& store, const core::Flow& flow) {
    auto token = sample_token(fresh_id());
    BOOST_REQUIRE((store.accounts.connect_in_flow(flow.id, token, noon) == Applied::yes));
    token.owner = core::Owner::of(flow.id);
    return found(store, token);
}

} // namespace

STORE_CASE(a_revoked_session_leaves_its_accounts_to_be_revoked, "S10") {
    const auto store = database.open();
    const auto [session, token] = connected(*store);
    BOOST_TEST(!to_be_revoked(*store, token, noon).has_value());
    BOOST_TEST((store->sessions.revoke(session, noon + core::Span(5)) == Applied::yes));
    BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
    const auto ended = to_be_revoked(*store, token, noon + core::Span(5));
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST((ended->ended_at == noon + core::Span(5)));
    BOOST_TEST((ended->access_token == token.access_token));
    BOOST_TEST((ended->refresh_token == token.refresh_token));
    BOOST_TEST(ended->owner.text() == core::Owner::ended(token.id).text());
    BOOST_TEST((store->sessions.revoke(session, noon + core::Span(6)) == Applied::no));
    BOOST_TEST((store->accounts.mark_ended(token.id, noon + core::Span(6)) == Applied::no));
    BOOST_TEST(
        (store->accounts.claim_refresh(
             token.id, token.version, fresh_id(), noon + core::Span(60), noon) ==
         Applied::no)); // read before it ended
    BOOST_TEST((store->accounts.remove(token.id) == Applied::yes));
    BOOST_TEST(!to_be_revoked(*store, token, noon + core::Span(7)).has_value());
}

STORE_CASE(a_denied_flow_and_swept_rows_leave_their_accounts_to_be_revoked, "S10") {
    const auto store = database.open();
    const auto denied = put_sample_flow(*store), forgotten = put_sample_flow(*store);
    const auto of_denied = in_flow(*store, denied), of_forgotten = in_flow(*store, forgotten);
    const auto of_session = connected(*store).token;
    BOOST_TEST((store->flows.deny(denied.id, noon) == Applied::yes));
    BOOST_TEST(to_be_revoked(*store, of_denied, noon).has_value());
    const auto later = noon + core::Span(90 * 86400);
    while (store->maintenance.sweep(later, noon - core::Span(86400), 50).total() > 0) {}
    for (const auto& token : {of_denied, of_forgotten, of_session}) {
        BOOST_TEST(to_be_revoked(*store, token, later).has_value());
        BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
        store->accounts.remove(token.id);
    }
}

STORE_CASE(one_worker_revokes_and_the_others_leave_the_service_alone_meanwhile, "S10") {
    const auto one = database.open(), two = database.open();
    const core::ServiceId service(fresh_id());
    const auto token = connected(*one, service).token, other = connected(*one, service).token;
    BOOST_TEST((one->accounts.mark_ended(token.id, noon) == Applied::yes));
    BOOST_TEST((two->accounts.mark_ended(other.id, noon) == Applied::yes));
    const auto ended = *to_be_revoked(*one, token, noon);
    const auto lease = fresh_id();
    const auto until = noon + core::Span(60);
    BOOST_TEST(
        (one->accounts.claim_refresh(ended.id, ended.version, lease, until, noon) == Applied::yes));
    BOOST_TEST(
        (two->accounts.claim_refresh(ended.id, ended.version, fresh_id(), until, noon) ==
         Applied::no));
    BOOST_TEST(!to_be_revoked(*two, token, noon).has_value());
    BOOST_TEST(!to_be_revoked(*two, other, noon).has_value());
    BOOST_TEST(
        to_be_revoked(*two, token, until).has_value()); // the process that held the lease has died
    auto failed = ended;
    failed.failures = 1;
    failed.retry_at = noon + core::Span(30);
    BOOST_TEST((one->accounts.note_refresh_failure(failed, lease) == Applied::yes));
    one->accounts.postpone_revocations(service, *failed.retry_at);
    BOOST_TEST(!to_be_revoked(*two, token, noon + core::Span(29)).has_value());
    BOOST_TEST(!to_be_revoked(*two, other, noon + core::Span(29)).has_value());
    BOOST_TEST(to_be_revoked(*two, token, noon + core::Span(30))->failures == 1);
    BOOST_TEST(to_be_revoked(*two, other, noon + core::Span(30))->failures == 0);
    for (const auto& id : {token.id, other.id}) one->accounts.remove(id);
}

STORE_CASE(tokens_that_a_refresh_gets_after_the_end_are_the_ones_to_be_revoked, "S10") {
    const auto store = database.open();
    const auto [session, token] = connected(*store);
    const auto lease = fresh_id();
    const auto until = noon + core::Span(60);
    BOOST_TEST(
        (store->accounts.claim_refresh(token.id, token.version, lease, until, noon) ==
         Applied::yes));
    BOOST_TEST((store->sessions.revoke(session, noon) == Applied::yes));
    BOOST_TEST(!to_be_revoked(*store, token, noon).has_value()); // not while it is being refreshed
    auto next = token;
    next.refresh_token = "the one that counts";
    BOOST_TEST((store->accounts.save_refreshed(next, lease, noon) == Applied::yes));
    BOOST_TEST(to_be_revoked(*store, token, noon)->refresh_token == "the one that counts");
    BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
    store->accounts.remove(token.id);
}

STORE_CASE(a_disabled_key_leaves_all_its_accounts_to_be_revoked, "S10") {
    const auto store = database.open();
    const auto key = sample_key(), other = sample_key();
    for (const auto& one : {key, other}) store->virtual_keys.put(one);
    const auto first = of_key(*store, key), second = of_key(*store, key),
               kept = of_key(*store, other);
    BOOST_TEST((store->virtual_keys.disable(key.id, noon + core::Span(5)) == Applied::yes));
    for (const auto& token : {first, second}) {
        BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
        BOOST_TEST(
            (to_be_revoked(*store, token, noon + core::Span(5))->ended_at == noon + core::Span(5)));
        store->accounts.remove(token.id);
    }
    BOOST_TEST(store->accounts.find(kept.owner, kept.service).has_value());
    BOOST_TEST((store->virtual_keys.disable(key.id, noon) == Applied::no));
    store->accounts.remove(kept.id);
}

STORE_CASE(a_sweep_ends_the_accounts_of_keys_that_are_over_and_no_others, "S10") {
    const auto store = database.open();
    auto disabled = sample_key(), expired = sample_key(), good = sample_key(),
         lasting = sample_key();
    expired.expires_at = noon + core::Span(60);
    lasting.expires_at = noon + core::Span(61);
    for (const auto& key : {disabled, expired, good, lasting}) store->virtual_keys.put(key);
    store->virtual_keys.disable(disabled.id, noon);
    const auto late =
        of_key(*store, disabled); // of a sign-in that was finished while the key was being disabled
    const auto of_expired = of_key(*store, expired), of_good = of_key(*store, good),
               of_lasting = of_key(*store, lasting);
    std::size_t keys = 0;
    for (auto swept = store->maintenance.sweep(noon + core::Span(60), noon, 50); swept.total() > 0;
         swept = store->maintenance.sweep(noon + core::Span(60), noon, 50))
        keys += swept.keys;
    BOOST_TEST(keys >= 2U); // other cases leave some too
    for (const auto& token : {late, of_expired}) {
        BOOST_TEST(!store->accounts.find(token.owner, token.service).has_value());
        BOOST_TEST(to_be_revoked(*store, token, noon + core::Span(60)).has_value());
    }
    for (const auto& token : {of_good, of_lasting})
        BOOST_TEST(store->accounts.find(token.owner, token.service).has_value());
    for (const auto& token : {late, of_expired, of_good, of_lasting})
        store->accounts.remove(token.id);
}

STORE_CASE(accounts_at_one_service_end_in_parts_and_it_is_removed_when_all_are_revoked, "S10") {
    const auto store = database.open();
    const auto service = sample_service();
    store->services.put(service);
    std::vector<core::LinkedAccount> tokens;
    for (int i = 0; i < 5; ++i) tokens.push_back(connected(*store, service.id).token);
    const auto elsewhere = connected(*store).token;
    BOOST_TEST(store->accounts.count_at(service.id) == 5U);
    BOOST_TEST((store->services.remove(service.id, false) == Applied::no));
    BOOST_TEST(store->services.find(service.id).has_value());
    BOOST_TEST((store->accounts.mark_ended(tokens.front().id, noon) == Applied::yes));
    BOOST_TEST(store->accounts.mark_ended_at(service.id, noon, 3) == 3U);
    BOOST_TEST(store->accounts.mark_ended_at(service.id, noon, 3) == 1U);
    BOOST_TEST(store->accounts.mark_ended_at(service.id, noon, 3) == 0U);
    for (const auto& token : tokens)
        BOOST_TEST(!store->accounts.find(token.owner, service.id).has_value());
    BOOST_TEST(store->accounts.find(elsewhere.owner, elsewhere.service).has_value());

    store->accounts.postpone_revocations(service.id, noon + core::Span(600));
    BOOST_TEST(store->accounts.list_to_revoke_at(service.id, noon, 3).size() == 3U);
    const auto ended = store->accounts.list_to_revoke_at(service.id, noon, 10);
    BOOST_REQUIRE(ended.size() == 5U);
    BOOST_TEST(
        (store->accounts.claim_refresh(
             ended[0].id, ended[0].version, fresh_id(), noon + core::Span(60), noon) ==
         Applied::yes));
    BOOST_TEST(
        store->accounts.list_to_revoke_at(service.id, noon, 10).size() ==
        4U); // a worker is revoking that one
    BOOST_TEST(store->accounts.count_at(service.id) == 5U);
    for (const auto& token : ended) {
        BOOST_TEST((store->services.remove(service.id, false) == Applied::no));
        store->accounts.remove(token.id);
    }
    BOOST_TEST((store->services.remove(service.id, false) == Applied::yes));
    store->accounts.remove(elsewhere.id);
}
