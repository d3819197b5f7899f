// Doubts about the tokens of linked accounts. spec: docs/requirements.md M3
#include "sample.h"

#include "tests/support/child.h"

#include "consentgate/core/upstream/account_doubt.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::LinkedAccount put_account(store::Store& store) {
    const auto flow = put_sample_flow(store);
    const auto account = sample_token("notion");
    BOOST_REQUIRE((store.accounts.connect_in_flow(flow.id, account, noon) == Applied::yes));
    return store.accounts.find_by_id(account.id).value();
}

core::LinkedAccount refused(const core::LinkedAccount& account, core::Instant at = noon) {
    return core::after_refused_token(account, account.version, core::TokenRefusal::certain, at)
        .value();
}

} // namespace

STORE_CASE(a_doubt_is_written_once_and_keeps_the_version, "M3") {
    const auto store = database.open();
    const auto account = put_account(*store);
    BOOST_TEST(!account.doubted_at.has_value());
    BOOST_TEST(account.doubts == 0);
    BOOST_TEST((store->accounts.note_doubt(refused(account)) == Applied::yes));
    BOOST_TEST((store->accounts.note_doubt(refused(account)) == Applied::no));
    const auto kept = store->accounts.find_by_id(account.id).value();
    BOOST_TEST((kept.doubted_at == noon));
    BOOST_TEST(kept.doubts == 1);
    BOOST_TEST((kept.doubts_since == noon));
    BOOST_TEST(kept.version == account.version);
    BOOST_TEST(kept.access_token == account.access_token);
    BOOST_TEST(!store->accounts.find_by_id("another").has_value());
}

STORE_CASE(a_refresh_ends_the_doubt_and_keeps_their_number, "M3 M7") {
    const auto store = database.open();
    const auto account = put_account(*store);
    store->accounts.note_doubt(refused(account));
    store->accounts.claim_refresh(
        account.id, account.version, "lease", noon + core::Span(30), noon);
    BOOST_TEST((store->accounts.save_refreshed(account, "lease", noon) == Applied::yes));
    const auto renewed = store->accounts.find_by_id(account.id).value();
    BOOST_TEST(!renewed.doubted_at.has_value());
    BOOST_TEST(renewed.doubts == 1);
    // A late report is about the token before.
    BOOST_TEST((store->accounts.note_doubt(refused(account)) == Applied::no));
    BOOST_TEST((store->accounts.note_doubt(refused(renewed)) == Applied::yes));
    BOOST_TEST(store->accounts.find_by_id(account.id)->doubts == 2);
}

STORE_CASE(an_account_that_nothing_can_refresh_ends_and_an_ended_one_stays, "M3") {
    const auto store = database.open();
    auto account = put_account(*store);
    account.refresh_token.clear();
    const auto broken = refused(account);
    BOOST_TEST((store->accounts.note_doubt(broken) == Applied::yes));
    const auto kept = store->accounts.find_by_id(account.id).value();
    BOOST_TEST((kept.broken_at == noon));
    BOOST_TEST(kept.failure == "the service refused the token");
    BOOST_TEST((store->accounts.note_doubt(broken) == Applied::no));
    const auto other = put_account(*store);
    store->accounts.mark_ended(other.id, noon);
    BOOST_TEST((store->accounts.note_doubt(refused(other)) == Applied::no));
}
