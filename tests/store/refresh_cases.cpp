// Linked accounts that idle workers refresh ahead of need, and what a clock that jumped leaves.
#include "consentgate/core/upstream/account_state.h"
#include "sample.h"

#include <algorithm>
#include <functional>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// At a service of its own; its token was written at noon and ends an hour later.
core::LinkedAccount connected(
    store::Store& store, const std::function<void(core::LinkedAccount&)>& change = [](auto&) {}) {
    const auto finalization =
        finalization_of(put_sample_flow(store), {core::IdentityKind::skipped, {}}, noon);
    BOOST_REQUIRE((store.flows.finalize(finalization) == Applied::yes));
    auto token = sample_token(fresh_id());
    token.owner = core::Owner::of(finalization.session.id);
    token.expires_at = noon + core::Span(3600);
    change(token);
    BOOST_REQUIRE(
        (store.accounts.connect_in_session(finalization.session.id, token, noon) == Applied::yes));
    return *store.accounts.find(token.owner, token.service);
}

core::LinkedAccount used(store::Store& store, core::LinkedAccount account, core::Instant when) {
    store.accounts.record_use(account.id, when);
    return *store.accounts.find(account.owner, account.service);
}

// Both the statement and the rule of core must say so.
bool is_refreshed(store::Store& store, const core::LinkedAccount& account, core::Instant now) {
    const auto listed = store.accounts.list_to_refresh(now, 10000);
    const bool found = std::any_of(
        listed.begin(), listed.end(), [&](const auto& one) { return one.id == account.id; });
    const auto kept = store.accounts.find(account.owner, account.service);
    BOOST_TEST(found == (kept && core::is_refreshed_ahead(*kept, now)));
    return found;
}

} // namespace

STORE_CASE(accounts_that_were_used_lately_are_listed_shortly_before_their_end, "XC3") {
    const auto store = database.open();
    const auto account = used(*store, connected(*store), noon + core::Span(3000));
    BOOST_TEST(!is_refreshed(*store, account, noon + core::Span(3299)));
    BOOST_TEST(is_refreshed(*store, account, noon + core::Span(3300)));
    BOOST_TEST(is_refreshed(*store, account, noon + core::Span(3700)));
    BOOST_TEST(!is_refreshed(*store, account, noon + core::Span(6600))); // used an hour ago
    const auto brief = used(
        *store, connected(*store, [](auto& one) { one.expires_at = noon + core::Span(90); }), noon);
    BOOST_TEST(!is_refreshed(*store, brief, noon + core::Span(59)));
    BOOST_TEST(is_refreshed(*store, brief, noon + core::Span(60)));
    for (const auto& one : {account, brief}) store->accounts.remove(one.id);
}

STORE_CASE(accounts_that_nobody_used_or_that_cannot_be_refreshed_are_not_listed, "XC3") {
    const auto store = database.open();
    const auto now = noon + core::Span(3500);
    const auto unused = connected(*store);
    const auto final =
        used(*store, connected(*store, [](auto& one) { one.refresh_token.clear(); }), noon);
    const auto endless =
        used(*store, connected(*store, [](auto& one) { one.expires_at.reset(); }), noon);
    const auto ended = used(*store, connected(*store), noon);
    BOOST_REQUIRE((store->accounts.mark_ended(ended.id, now) == Applied::yes));
    for (const auto& one : {unused, final, endless, ended}) {
        BOOST_TEST(!is_refreshed(*store, one, now));
        store->accounts.remove(one.id);
    }
}

STORE_CASE(the_list_leaves_out_what_is_leased_paused_or_broken, "XC3") {
    const auto store = database.open();
    const auto now = noon + core::Span(3500);
    auto account = used(*store, connected(*store), noon);
    store->accounts.claim_refresh(account.id, account.version, "one", now + core::Span(20), now);
    BOOST_TEST(!is_refreshed(*store, account, now));
    BOOST_TEST(is_refreshed(*store, account, now + core::Span(20))); // its holder died
    account.failures = 1;
    account.failure = "status 503";
    account.retry_at = now + core::Span(5);
    BOOST_REQUIRE((store->accounts.note_refresh_failure(account, "one") == Applied::yes));
    const auto failed = *store->accounts.find(account.owner, account.service);
    BOOST_TEST(failed.failure == "status 503");
    BOOST_TEST((failed.updated_at == noon)); // the tokens are as old as before
    BOOST_TEST(!failed.lease_until.has_value());
    BOOST_TEST(!is_refreshed(*store, account, now + core::Span(4)));
    BOOST_TEST(is_refreshed(*store, account, now + core::Span(5)));
    store->accounts.claim_refresh(account.id, failed.version, "two", now + core::Span(25), now);
    auto refused = failed;
    refused.broken_at = now;
    BOOST_REQUIRE((store->accounts.note_refresh_failure(refused, "two") == Applied::yes));
    BOOST_TEST(!is_refreshed(*store, account, now + core::Span(50)));
    store->accounts.remove(account.id);
}

STORE_CASE(those_whose_token_ends_first_come_first_and_a_limit_holds, "XC3") {
    const auto store = database.open();
    const auto now = noon + core::Span(3500);
    std::vector<core::LinkedAccount> accounts;
    for (const int seconds : {3700, 3600, 3650})
        accounts.push_back(used(
            *store,
            connected(*store, [&](auto& one) { one.expires_at = noon + core::Span(seconds); }),
            noon));
    const auto listed = store->accounts.list_to_refresh(now, 10000);
    std::vector<std::string> order;
    for (const auto& one : listed) {
        if (std::any_of(accounts.begin(), accounts.end(), [&](const auto& ours) {
                return ours.id == one.id;
            }))
            order.push_back(one.id);
    }
    BOOST_TEST((order == std::vector{accounts[1].id, accounts[2].id, accounts[0].id}));
    BOOST_TEST(store->accounts.list_to_refresh(now, 2).size() == 2U);
    for (const auto& one : accounts) store->accounts.remove(one.id);
}

STORE_CASE(a_lease_or_pause_that_a_jumped_clock_wrote_locks_no_account, "XC4") {
    const auto store = database.open();
    const auto now = noon + core::Span(3500), future = noon + core::Span(400LL * 86400);
    auto account = used(*store, connected(*store), noon);
    store->accounts.claim_refresh(account.id, account.version, "future", future, future);
    BOOST_TEST(is_refreshed(*store, account, now));
    BOOST_TEST(
        (store->accounts.claim_refresh(
             account.id, account.version, "now", now + core::Span(20), now) == Applied::yes));
    account.failures = 1;
    account.retry_at = future;
    BOOST_REQUIRE((store->accounts.note_refresh_failure(account, "now") == Applied::yes));
    BOOST_TEST(is_refreshed(*store, account, now));

    BOOST_REQUIRE((store->accounts.mark_ended(account.id, now) == Applied::yes));
    const auto to_be_revoked = [&] {
        const auto listed = store->accounts.list_to_revoke(now, 10000);
        return std::any_of(
            listed.begin(), listed.end(), [&](const auto& one) { return one.id == account.id; });
    };
    const auto ended = *store->accounts.find(core::Owner::ended(account.id), account.service);
    store->accounts.claim_refresh(account.id, ended.version, "future", future, now);
    BOOST_TEST(to_be_revoked());
    auto failed = ended;
    failed.retry_at = future;
    BOOST_REQUIRE((store->accounts.note_refresh_failure(failed, "future") == Applied::yes));
    BOOST_TEST(to_be_revoked());
    store->accounts.remove(account.id);
}

STORE_CASE(odd_refusals_are_counted_until_a_refresh_or_the_end_of_the_account, "XC6") {
    const auto store = database.open();
    auto account = connected(*store);
    const auto kept = [&] { return *store->accounts.find(account.owner, account.service); };
    BOOST_TEST(account.odd_refusals == 0);
    BOOST_TEST(!account.odd_since.has_value());
    for (const bool refreshed : {true, false}) {
        store->accounts.claim_refresh(
            account.id, account.version, "one", noon + core::Span(20), noon);
        account.odd_refusals = 3;
        account.odd_since = noon;
        BOOST_REQUIRE((store->accounts.note_refresh_failure(account, "one") == Applied::yes));
        account = kept();
        BOOST_TEST(account.odd_refusals == 3);
        BOOST_TEST((account.odd_since == noon));
        if (!refreshed) break;
        store->accounts.claim_refresh(
            account.id, account.version, "two", noon + core::Span(20), noon);
        BOOST_REQUIRE((store->accounts.save_refreshed(account, "two", noon) == Applied::yes));
        account = kept();
        BOOST_TEST(account.odd_refusals == 0);
        BOOST_TEST(!account.odd_since.has_value());
    }
    BOOST_REQUIRE((store->accounts.mark_ended(account.id, noon) == Applied::yes));
    const auto ended = store->accounts.find(core::Owner::ended(account.id), account.service);
    BOOST_TEST(ended.value().odd_refusals == 0);
    store->accounts.remove(account.id);
}

STORE_CASE(a_refresh_token_that_was_rotated_alone_is_saved_with_the_failure, "XC11") {
    const auto store = database.open();
    auto account = connected(*store);
    store->accounts.claim_refresh(account.id, account.version, "one", noon + core::Span(20), noon);
    auto rotated = account;
    rotated.access_token = std::string("sealed\0anew", 11);
    rotated.refresh_token = std::string("rotated\0\xff", 9);
    rotated.key_id = core::KeyId("k2");
    rotated.failures = 1;
    rotated.failure = "the answer has no usable access_token";
    rotated.retry_at = noon + core::Span(5);
    BOOST_TEST((store->accounts.save_rotated(rotated, "another") == Applied::no));
    BOOST_TEST((store->accounts.save_rotated(rotated, "one") == Applied::yes));
    const auto kept = *store->accounts.find(account.owner, account.service);
    BOOST_TEST(kept.access_token == rotated.access_token);
    BOOST_TEST(kept.refresh_token == rotated.refresh_token);
    BOOST_TEST((kept.key_id == core::KeyId("k2")));
    BOOST_TEST(kept.failures == 1);
    BOOST_TEST(kept.failure == rotated.failure);
    BOOST_TEST((kept.retry_at == rotated.retry_at));
    BOOST_TEST((kept.expires_at == account.expires_at));
    BOOST_TEST((kept.updated_at == account.updated_at)); // the access token is as old as before
    BOOST_TEST(!kept.lease_until.has_value());
    BOOST_TEST(kept.version == account.version + 1);
    store->accounts.remove(account.id);
}
