// How a service does, as its linked accounts say, and what becomes of an account that gives way.
#include "linked.h"

#include "case.h"

#include "consentgate/core/upstream/account_state.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

// As after many weeks, when the person has chosen another account there.
STORE_CASE(an_account_gives_way_to_another_person_s_and_is_kept_to_be_revoked, "S7") {
    const auto store = database.open();
    const auto session = put_session(*store, put_sample_flow(*store));
    const auto connect = [&](const std::string& holder) {
        auto account = sample_token("notion");
        account.owner = core::Owner::of(session.id);
        account.holder_hash = holder;
        account.holder_name = holder.empty() ? "" : "name of " + holder.substr(0, 1);
        BOOST_REQUIRE(
            (store->accounts.connect_in_session(session.id, account, noon) == Applied::yes));
        return account;
    };
    const auto kept = [&](const core::LinkedAccount& account) {
        return store->accounts.find(core::Owner::ended(account.id), account.service);
    };
    const auto ada = connect(std::string(64, 'a'));
    BOOST_TEST(found(*store, ada).holder_hash == std::string(64, 'a'));
    BOOST_TEST(found(*store, ada).holder_name == "name of a");
    const auto ada_again = connect(std::string(64, 'a'));
    BOOST_TEST(!kept(ada).has_value());
    const auto ben = connect(std::string(64, 'b'));
    BOOST_REQUIRE(kept(ada_again).has_value());
    BOOST_TEST(kept(ada_again)->ended_at.has_value());
    BOOST_TEST(kept(ada_again)->holder_name.empty());
    BOOST_TEST(kept(ada_again)->holder_hash.empty());
    BOOST_TEST(store->accounts.list(ben.owner).size() == 1U);
    // Whoever does not tell may be the same person.
    const auto unknown = connect("");
    BOOST_TEST(!kept(ben).has_value());
    connect(std::string(64, 'a'));
    BOOST_TEST(!kept(unknown).has_value());
}

STORE_CASE(the_account_of_a_sign_in_has_another_person_s_from_before_revoked, "S7") {
    const auto store = database.open();
    auto flow = put_sample_flow(*store);
    const core::VirtualKeyId key("vk_" + fresh_id());
    const core::Identity identity{core::IdentityKind::virtual_key, key.text};
    auto before = sample_token("notion");
    before.holder_hash = std::string(64, 'a');
    before.owner = core::Owner::of(flow.id);
    BOOST_REQUIRE((store->accounts.connect_in_flow(flow.id, before, noon) == Applied::yes));
    flow.revision = 1; // raised by connecting
    BOOST_REQUIRE((finalize(*store, finalization_of(flow, identity)) == Applied::yes));
    flow = put_sample_flow(*store);
    auto after = sample_token("notion");
    after.holder_hash = std::string(64, 'b');
    after.owner = core::Owner::of(flow.id);
    BOOST_REQUIRE((store->accounts.connect_in_flow(flow.id, after, noon) == Applied::yes));
    flow.revision = 1;
    const auto second = finalization_of(flow, identity);
    BOOST_REQUIRE((finalize(*store, second) == Applied::yes));
    BOOST_TEST(store->accounts.find(second.session_owner, after.service)->id == after.id);
    BOOST_TEST(store->accounts.find(core::Owner::ended(before.id), before.service).has_value());
}

STORE_CASE(the_health_of_a_service_is_read_from_its_accounts, "XC13") {
    const auto store = database.open();
    const core::ServiceId service("h-" + fresh_id());
    const auto health = [&]() -> core::ServiceHealth {
        for (auto& one : store->accounts.health(noon + core::Span(60)))
            if (one.service == service) return one;
        return {};
    };
    BOOST_TEST(health().service.text.empty());
    const auto works = connected(*store, service), fails = connected(*store, service),
               refused = connected(*store, service);
    const auto note = [&](const core::LinkedAccount& account, core::RefreshFailure failure) {
        store->accounts.claim_refresh(
            account.id, account.version, "lease", noon + core::Span(20), noon);
        store->accounts.note_refresh_failure(core::after_failure(account, failure, noon), "lease");
    };
    note(fails, {.reason = "no answer", .cause = core::FailureCause::timeout});
    note(
        refused, {.error = core::UpstreamError::refused,
                  .reason = "status 400, invalid_grant",
                  .cause = core::FailureCause::oauth_error});
    BOOST_TEST((found(*store, fails).failure_cause == core::FailureCause::timeout));
    auto spent = sample_token(service.text); // over, and there is no way to refresh it
    spent.refresh_token.clear();
    spent.expires_at = noon + core::Span(30);
    const auto session = put_session(*store, put_sample_flow(*store));
    spent.owner = core::Owner::of(session.id);
    store->accounts.connect_in_session(session.id, spent, noon);
    const auto ended = connected(*store, service);
    store->accounts.mark_ended(ended.id, noon);
    const auto open_flow = put_sample_flow(*store); // nobody's yet
    store->accounts.connect_in_flow(open_flow.id, sample_token(service.text), noon);

    const auto seen = health();
    BOOST_TEST(seen.connected == 2U);
    BOOST_TEST(seen.failing == 1U);
    BOOST_TEST(seen.needs_person == 2U);
    BOOST_TEST((seen.last_success == noon));
    BOOST_REQUIRE_EQUAL(seen.failures.size(), 2U);
    BOOST_TEST((seen.failures[0].cause == core::FailureCause::oauth_error));
    BOOST_TEST(seen.failures[0].accounts == 1U);
    BOOST_TEST((seen.failures[1].cause == core::FailureCause::timeout));

    auto again = found(*store, fails);
    store->accounts.claim_refresh(again.id, again.version, "next", noon + core::Span(40), noon);
    store->accounts.save_refreshed(again, "next", noon + core::Span(25));
    BOOST_TEST((found(*store, fails).failure_cause == core::FailureCause::none));
    BOOST_TEST(health().failing == 0U);
    BOOST_TEST((health().last_success == noon + core::Span(25)));
    BOOST_TEST(health().connected == 2U);
    BOOST_TEST((found(*store, works).failure_cause == core::FailureCause::none));
}
