// Linked accounts and the owner that they are sealed for. spec: docs/requirements.md XC14
#include "sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::LinkedAccount linked(store::Store& store, const core::Flow& flow, std::int64_t seal) {
    auto account = sample_token(fresh_id());
    account.seal = seal;
    BOOST_REQUIRE((store.accounts.connect_in_flow(flow.id, account, noon) == Applied::yes));
    return *store.accounts.find(core::Owner::of(flow.id), account.service);
}

core::LinkedAccount linked(store::Store& store, std::int64_t seal = core::current_seal) {
    return linked(store, put_sample_flow(store), seal);
}

core::LinkedAccount found(store::Store& store, const core::LinkedAccount& account) {
    return *store.accounts.find(account.owner, account.service);
}

core::LinkedAccount sealed_anew(core::LinkedAccount account) {
    account.access_token = "anew " + fresh_id();
    account.refresh_token.clear();
    account.key_id = core::KeyId("k2");
    account.seal = core::current_seal;
    return account;
}

bool is_old(store::Store& store, const core::LinkedAccount& account, core::Instant now = noon) {
    const auto all = store.accounts.list_old_seals(now, 100000);
    return std::any_of(
        all.begin(), all.end(), [&](const auto& one) { return one.id == account.id; });
}

} // namespace

STORE_CASE(an_ended_account_keeps_the_owner_that_it_was_sealed_for, "XC14") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const auto account = linked(*store, flow, core::current_seal);
    BOOST_TEST(account.sealed_for.empty());
    BOOST_TEST((store->accounts.mark_ended(account.id, noon) == Applied::yes));
    const auto ended = store->accounts.find(core::Owner::ended(account.id), account.service);
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->sealed_for == core::Owner::of(flow.id).text());
    BOOST_TEST(ended->access_token_aad() == account.access_token_aad());
    BOOST_TEST(ended->refresh_token_aad() == account.refresh_token_aad());
    BOOST_TEST((store->accounts.mark_ended(account.id, noon) == Applied::no));
    BOOST_TEST(
        store->accounts.find(core::Owner::ended(account.id), account.service)->sealed_for ==
        ended->sealed_for);
}

STORE_CASE(finishing_writes_the_tokens_that_were_sealed_for_the_sessions_owner, "XC14 S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const auto one = linked(*store, flow, core::current_seal), broken = linked(*store, flow, 0);
    const auto finalization = finalization_of(store->flows.find(flow.id)->flow);
    auto moved = sealed_anew(one), dropped = broken;
    moved.owner = dropped.owner = finalization.session_owner;
    dropped.ended_at = noon;
    BOOST_TEST((store->flows.finalize(finalization, {moved, dropped}) == Applied::yes));
    const auto now = store->accounts.list(finalization.session_owner);
    BOOST_REQUIRE(now.size() == 1U);
    BOOST_TEST(now[0].id == one.id);
    BOOST_TEST(now[0].access_token == moved.access_token);
    BOOST_TEST(now[0].refresh_token.empty());
    BOOST_TEST((now[0].key_id == moved.key_id));
    BOOST_TEST(now[0].seal == core::current_seal);
    BOOST_TEST(now[0].version == one.version + 1);
    BOOST_TEST(store->accounts.list(finalization.flow_owner).empty());
    BOOST_TEST(
        (store->accounts.find(core::Owner::ended(broken.id), broken.service)->ended_at == noon));
}

STORE_CASE(an_account_that_ended_since_it_was_read_is_not_moved, "XC14 S1") {
    const auto store = database.open();
    const auto flow = put_sample_flow(*store);
    const auto account = linked(*store, flow, core::current_seal);
    const auto finalization = finalization_of(store->flows.find(flow.id)->flow);
    auto moved = sealed_anew(account);
    moved.owner = finalization.session_owner;
    store->accounts.mark_ended_at(account.service, noon, 10); // its service is being removed
    BOOST_TEST((store->flows.finalize(finalization, {moved}) == Applied::yes));
    BOOST_TEST(store->accounts.list(finalization.session_owner).empty());
    BOOST_TEST(
        store->accounts.find(core::Owner::ended(account.id), account.service)->access_token ==
        account.access_token);
}

STORE_CASE(accounts_in_the_form_of_before_are_found_and_sealed_anew_once, "XC14") {
    const auto store = database.open();
    const auto old = linked(*store, 0), current = linked(*store);
    BOOST_TEST(is_old(*store, old));
    BOOST_TEST(!is_old(*store, current));
    const auto before = store->accounts.count_seals();
    const auto anew = sealed_anew(old);
    BOOST_TEST(store->accounts.seal_anew({anew, sealed_anew(current)}, noon) == 1U);
    const auto now = found(*store, old);
    BOOST_TEST(now.access_token == anew.access_token);
    BOOST_TEST(now.refresh_token.empty());
    BOOST_TEST(now.seal == core::current_seal);
    BOOST_TEST(now.version == old.version);
    BOOST_TEST(!now.broken_at.has_value());
    BOOST_TEST(found(*store, current).access_token == current.access_token);
    BOOST_TEST(store->accounts.seal_anew({anew}, noon) == 0U);
    BOOST_TEST(store->accounts.count_seals().old == before.old - 1);
    BOOST_TEST(store->accounts.count_seals().all == before.all);

    auto unreadable = linked(*store, 0);
    unreadable.seal = core::current_seal;
    unreadable.broken_at = noon;
    BOOST_TEST(store->accounts.seal_anew({unreadable}, noon) == 1U);
    BOOST_TEST((found(*store, unreadable).broken_at == noon));
    BOOST_TEST(!is_old(*store, unreadable));
}

STORE_CASE(a_refresh_or_an_ending_wins_over_sealing_anew, "XC14") {
    const auto store = database.open();
    const auto leased = linked(*store, 0);
    const auto until = noon + core::Span(30);
    store->accounts.claim_refresh(leased.id, leased.version, "lease", until, noon);
    BOOST_TEST(!is_old(*store, leased));
    BOOST_TEST(is_old(*store, leased, until));
    BOOST_TEST(store->accounts.seal_anew({sealed_anew(leased)}, noon) == 0U);
    auto refreshed = sealed_anew(leased);
    BOOST_TEST((store->accounts.save_refreshed(refreshed, "lease", noon) == Applied::yes));
    BOOST_TEST(found(*store, leased).seal == core::current_seal);
    BOOST_TEST(store->accounts.seal_anew({sealed_anew(leased)}, until) == 0U);
    BOOST_TEST(found(*store, leased).access_token == refreshed.access_token);

    const auto ended = linked(*store, 0);
    store->accounts.mark_ended(ended.id, noon);
    BOOST_TEST(store->accounts.seal_anew({sealed_anew(ended)}, noon) == 0U); // for another owner
    BOOST_TEST(is_old(*store, ended));                                       // as it is now
    store->accounts.remove(ended.id);
}

STORE_CASE(the_permission_for_old_seals_ends_with_the_last_of_them, "XC14") {
    const auto store = database.open();
    const auto id = fresh_id();
    BOOST_TEST(!store->accounts.find_old_seals(id).has_value());
    store->accounts.put_old_seals({id, noon, core::KeyId("k1"), "a mark"});
    store->accounts.put_old_seals({id, noon + core::Span(5), core::KeyId("k2"), "another"});
    const auto back = store->accounts.find_old_seals(id);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST((back->expires_at == noon + core::Span(5)));
    BOOST_TEST(back->key_id.text == "k2");
    BOOST_TEST(back->mark == "another");
    const auto old = linked(*store, 0);
    BOOST_TEST((store->accounts.remove_old_seals(id) == Applied::no));
    for (auto account : store->accounts.list_old_seals(noon + core::Span(86400), 100000))
        store->accounts.seal_anew({sealed_anew(account)}, noon + core::Span(86400));
    BOOST_TEST((store->accounts.remove_old_seals(id) == Applied::yes));
    BOOST_TEST((store->accounts.remove_old_seals(id) == Applied::no));
    BOOST_TEST(!store->accounts.find_old_seals(id).has_value());
}
