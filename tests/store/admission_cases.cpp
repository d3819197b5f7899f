// Counting for the question who can come in. spec: docs/requirements.md XA1
#include "sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using core::IdentityKind;
using store::Applied;

namespace {

core::Session signed_in(store::Store& store, core::Identity identity, core::Instant now = noon) {
    const auto finalization = finalization_of(put_sample_flow(store), std::move(identity), now);
    BOOST_REQUIRE((store.flows.finalize(finalization) == Applied::yes));
    return finalization.session;
}

std::size_t count(store::Store& store, IdentityKind kind, core::Instant now = noon) {
    const auto counts = store.sessions.count_by_identity(now);
    const auto found = std::find_if(
        counts.begin(), counts.end(), [&](const auto& one) { return one.kind == kind; });
    return found == counts.end() ? 0 : found->sessions;
}

} // namespace

// The cases share a database, so each counts what it adds.
STORE_CASE(living_sessions_are_counted_by_the_kind_of_their_identity, "XA1") {
    const auto store = database.open();
    const auto before = [&](IdentityKind kind) { return count(*store, kind); };
    const auto skipped = before(IdentityKind::skipped), typed = before(IdentityKind::user_id),
               verified = before(IdentityKind::verified_user);
    signed_in(*store, {IdentityKind::skipped, {}});
    signed_in(*store, {IdentityKind::user_id, "anna"});
    const auto ended = signed_in(*store, {IdentityKind::user_id, "ben"});
    const auto last = signed_in(*store, {IdentityKind::verified_user, "anna"});
    BOOST_TEST(count(*store, IdentityKind::skipped) == skipped + 1);
    BOOST_TEST(count(*store, IdentityKind::user_id) == typed + 2);
    BOOST_TEST(count(*store, IdentityKind::verified_user) == verified + 1);
    BOOST_TEST(count(*store, IdentityKind::none) == 0U);
    BOOST_REQUIRE((store->sessions.revoke(ended.id, noon) == Applied::yes));
    BOOST_TEST(count(*store, IdentityKind::user_id) == typed + 1);
    // To the second.
    const auto at_end = count(*store, IdentityKind::verified_user, last.expires_at);
    BOOST_TEST(
        count(*store, IdentityKind::verified_user, last.expires_at - core::Span(1)) > at_end);
}

STORE_CASE(a_key_is_usable_while_it_is_active_and_not_over, "XA1") {
    const auto store = database.open();
    const auto before = store->virtual_keys.count_usable(noon);
    auto lasting = sample_key();
    auto ending = sample_key();
    ending.expires_at = noon + core::Span(60);
    store->virtual_keys.put(lasting);
    store->virtual_keys.put(ending);
    BOOST_TEST(store->virtual_keys.count_usable(noon) == before + 2);
    BOOST_TEST(store->virtual_keys.has_usable(noon));
    const auto at_end = store->virtual_keys.count_usable(noon + core::Span(60));
    BOOST_TEST(store->virtual_keys.count_usable(noon + core::Span(59)) == at_end + 1);
    BOOST_REQUIRE((store->virtual_keys.disable(lasting.id, noon) == Applied::yes));
    BOOST_TEST(store->virtual_keys.count_usable(noon) == before + 1);
}

STORE_CASE(without_a_key_there_is_none_to_use, "XA1") {
    auto [config, other] = database.empty_database();
    store::migrate(config, noon);
    const auto store = store::open_store(config);
    BOOST_TEST(!store->virtual_keys.has_usable(noon));
    BOOST_TEST(store->virtual_keys.count_usable(noon) == 0U);
    BOOST_TEST(store->sessions.count_by_identity(noon).empty());
    auto key = sample_key();
    key.expires_at = noon;
    store->virtual_keys.put(key);
    BOOST_TEST(!store->virtual_keys.has_usable(noon));
    store->virtual_keys.put(sample_key());
    BOOST_TEST(store->virtual_keys.has_usable(noon));
}
