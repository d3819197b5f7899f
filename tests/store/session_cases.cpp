// Sessions as an operator sees and ends them: filters, batches, last uses.
// spec: docs/requirements.md XA4
#include "refresh_sample.h"

#include "tests/support/child.h"

#include <algorithm>
#include <set>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// A session of a client of its own.
core::Session put_session(store::Store& store, core::Identity identity) {
    auto finalization = finalization_of(put_sample_flow(store), std::move(identity), noon);
    BOOST_REQUIRE((store.flows.finalize(finalization) == Applied::yes));
    return finalization.session;
}

core::Session put_session(store::Store& store) {
    return put_session(store, {core::IdentityKind::skipped, {}});
}

// All batches. out: the ids of those that it ended
std::set<std::string> revoke(
    store::Store& store, const core::SessionFilter& filter, core::Instant now,
    std::size_t limit = 2) {
    std::set<std::string> ended;
    for (std::string after;;) {
        const auto batch = store.sessions.revoke_some(filter, after, now, limit);
        if (!batch.last) return ended;
        BOOST_REQUIRE(*batch.last > after);
        after = *batch.last;
        for (const auto& session : batch.sessions) BOOST_TEST(ended.insert(session.id.text).second);
    }
}

std::set<std::string> ids_of(const std::vector<core::SessionView>& views) {
    std::set<std::string> ids;
    for (const auto& view : views) ids.insert(view.session.id.text);
    return ids;
}

std::optional<core::Instant> revoked_at(store::Store& store, const core::Session& session) {
    return store.sessions.find(session.id)->session.revoked_at;
}

} // namespace

STORE_CASE(sessions_are_listed_and_ended_by_each_filter_and_by_all_of_them_together, "XA4") {
    const auto store = database.open();
    const auto name = "Änna " + fresh_id();
    const auto key = sample_key();
    store->virtual_keys.put(key);
    const auto skipped = put_session(*store);
    const auto typed = put_session(*store, {core::IdentityKind::user_id, name});
    const auto verified = put_session(*store, {core::IdentityKind::verified_user, name});
    const auto keyed = put_session(*store, {core::IdentityKind::virtual_key, key.id.text});
    const auto list = [&](const core::SessionFilter& filter) {
        return ids_of(store->sessions.list(noon, filter, 100000));
    };
    using Ids = std::set<std::string>;
    BOOST_TEST((list({.client = typed.client_id}) == Ids{typed.id.text}));
    BOOST_TEST((list({.key = key.id}) == Ids{keyed.id.text}));
    BOOST_TEST((list({.user = name}) == Ids{typed.id.text, verified.id.text}));
    BOOST_TEST(
        (list({.identity = core::IdentityKind::verified_user, .user = name}) ==
         Ids{verified.id.text}));
    BOOST_TEST(list({.client = typed.client_id, .key = key.id}).empty());
    BOOST_TEST(list({.user = key.id.text}).empty()); // an id is no name
    BOOST_TEST(list({.resource = "https://tools.example.org/MCP"}).empty());
    BOOST_TEST(list({.client = core::ClientId("caf\xc3\xa9")}).empty());
    const auto here = list({.resource = skipped.resource});
    for (const auto* one : {&skipped, &typed, &verified, &keyed})
        BOOST_TEST(here.contains(one->id.text));

    const auto later = noon + core::Span(5);
    BOOST_TEST(revoke(*store, {.user = name + " "}, later).empty());
    BOOST_TEST(
        (revoke(*store, {.identity = core::IdentityKind::user_id, .user = name}, later) ==
         Ids{typed.id.text}));
    BOOST_TEST((revoke(*store, {.user = name}, later) == Ids{verified.id.text}));
    BOOST_TEST((revoke(*store, {.key = key.id}, later) == Ids{keyed.id.text}));
    BOOST_TEST(revoke(*store, {.key = key.id}, later).empty());
    BOOST_TEST((revoked_at(*store, keyed) == later));
    BOOST_TEST(!revoked_at(*store, skipped).has_value());
}

STORE_CASE(sessions_end_in_batches_that_meet_each_of_them_once_and_none_that_is_over, "XA4") {
    const auto store = database.open();
    const auto name = fresh_id();
    std::set<std::string> mine;
    for (int i = 0; i < 7; ++i)
        mine.insert(put_session(*store, {core::IdentityKind::user_id, name}).id.text);
    const auto ended = put_session(*store, {core::IdentityKind::user_id, name});
    store->sessions.revoke(ended.id, noon + core::Span(1));
    const auto expired = ended.expires_at;
    BOOST_TEST(revoke(*store, {.user = name}, expired).empty());
    BOOST_TEST((revoke(*store, {.user = name}, noon + core::Span(5), 3) == mine));
    BOOST_TEST((revoked_at(*store, ended) == noon + core::Span(1)));
    BOOST_TEST(store->sessions.list(noon, {.user = name}, 100).empty());
}

STORE_CASE(what_belongs_to_an_ended_session_alone_waits_for_its_revocation, "XA4 S10") {
    const auto store = database.open();
    const auto name = fresh_id(), other = fresh_id();
    const auto connect = [&](const core::Session& session, const core::Owner& owner) {
        auto token = sample_token(fresh_id());
        token.owner = owner;
        BOOST_REQUIRE(
            (store->accounts.connect_in_session(session.id, token, noon) == Applied::yes));
        return token;
    };
    const auto ending = put_session(*store, {core::IdentityKind::user_id, name});
    const auto staying = put_session(*store, {core::IdentityKind::user_id, other});
    const auto own = connect(ending, core::Owner::of(ending.id));
    const auto second = connect(ending, core::Owner::of(ending.id));
    const auto lasting = connect(ending, core::Owner::verified_user(name));
    const auto foreign = connect(staying, core::Owner::of(staying.id));
    BOOST_TEST(revoke(*store, {.user = name}, noon + core::Span(5)).size() == 1U);
    for (const auto* token : {&own, &second}) {
        BOOST_TEST(!store->accounts.find(token->owner, token->service).has_value());
        BOOST_TEST(
            store->accounts.list_to_revoke_at(token->service, noon + core::Span(5), 9).size() ==
            1U);
    }
    BOOST_TEST(store->accounts.find(lasting.owner, lasting.service).has_value());
    BOOST_TEST(store->accounts.find(foreign.owner, foreign.service).has_value());
}

STORE_CASE(a_session_that_was_there_when_all_are_ended_does_not_survive_a_race, "XA4") {
    const auto store = database.open();
    const auto name = fresh_id();
    std::vector<core::Session> before;
    for (int i = 0; i < 6; ++i)
        before.push_back(put_session(*store, {core::IdentityKind::user_id, name}));
    // Between any two statements another process makes a session and ends one of the old ones.
    const auto other = database.open();
    std::size_t turn = 0;
    std::set<std::string> by_other;
    const auto disturbed = database.open([&](std::string_view sql) {
        if (!sql.starts_with("BEGIN")) return;
        put_session(*other, {core::IdentityKind::user_id, name});
        const auto& old = before[turn++ % before.size()];
        if (other->sessions.revoke(old.id, noon + core::Span(1)) == Applied::yes)
            by_other.insert(old.id.text);
    });
    const auto ended = revoke(*disturbed, {.user = name}, noon + core::Span(5));
    BOOST_TEST(!by_other.empty());
    for (const auto& session : before) {
        BOOST_TEST(revoked_at(*store, session).has_value());
        BOOST_TEST(ended.contains(session.id.text) != by_other.contains(session.id.text));
    }
}

STORE_CASE(a_session_that_is_refreshed_while_all_are_ended_gets_nothing_more, "XA4") {
    const auto store = database.open();
    const auto name = fresh_id();
    std::vector<core::RefreshToken> tokens;
    std::set<std::string> mine;
    for (int i = 0; i < 8; ++i) {
        auto finalization =
            finalization_of(put_sample_flow(*store), {core::IdentityKind::user_id, name}, noon);
        BOOST_REQUIRE((store->flows.finalize(finalization) == Applied::yes));
        tokens.push_back(refresh_token_of(finalization.session.id, noon));
        store->codes.redeem(finalization.code.hash, fresh_id(), tokens.back(), noon);
        mine.insert(finalization.session.id.text);
    }
    // In another process: refreshes that each revocation may or may not precede.
    const auto child = start_child([&] {
        const auto refreshing = database.open();
        for (auto& used : tokens) {
            const auto next = refresh_token_of(used.session_id, noon + core::Span(1));
            refreshing->tokens.rotate_refresh(
                {used.hash,
                 used.key_id,
                 next,
                 {fresh_digest(), used.session_id, *core::ScopeSet::parse("mcp"),
                  noon + core::Span(3600)}},
                noon + core::Span(1));
        }
        return 0;
    });
    BOOST_TEST((revoke(*store, {.user = name}, noon + core::Span(5)) == mine));
    BOOST_TEST(end_of(child) == 0);
    BOOST_TEST(store->sessions.list(noon, {.user = name}, 100).empty());
    for (const auto& used : tokens) {
        const core::Rotation again{
            used.hash,
            used.key_id,
            refresh_token_of(used.session_id, noon),
            {fresh_digest(), used.session_id, *core::ScopeSet::parse("mcp"),
             noon + core::Span(3600)}};
        BOOST_TEST((store->tokens.rotate_refresh(again, noon + core::Span(6)) == Applied::no));
    }
}

STORE_CASE(a_last_use_is_written_once_an_hour_and_never_goes_back, "XA4") {
    const auto store = database.open();
    const auto session = put_session(*store), other = put_session(*store);
    const auto last = [&] {
        const auto found = store->sessions.find(session.id)->session;
        return std::pair(found.last_used_at, found.last_used_from);
    };
    BOOST_TEST((last() == std::pair(std::optional<core::Instant>(), std::string())));
    const auto hour = noon, next = noon + core::Span(3600);
    const auto record = [&](core::Instant at, const std::string& from) {
        const std::vector<store::SessionUse> uses{
            {.session = session.id, .at = at, .from = from},
            {.session = core::SessionId(fresh_id()), .at = at, .from = from}};
        store->sessions.record_uses(uses);
    };
    using Last = std::pair<std::optional<core::Instant>, std::string>;
    record(hour, "192.0.2.0/24");
    BOOST_TEST((last() == Last(hour, "192.0.2.0/24")));
    record(hour, "198.51.100.0/24");
    BOOST_TEST((last() == Last(hour, "192.0.2.0/24")));
    record(next, "");
    BOOST_TEST((last() == Last(next, "192.0.2.0/24")));
    record(hour, "2001:db8:7::/48");
    BOOST_TEST((last() == Last(next, "192.0.2.0/24")));
    BOOST_TEST(!store->sessions.find(other.id)->session.last_used_at.has_value());
}

STORE_CASE(uses_that_are_known_already_are_looked_at_and_not_written_again, "XA4") {
    std::vector<std::string> writes;
    const auto store = database.open([&](std::string_view sql) {
        if (!sql.starts_with("SELECT")) writes.emplace_back(sql);
    });
    const auto session = put_session(*store);
    const std::vector<store::SessionUse> uses{
        {.session = session.id, .at = noon, .from = "192.0.2.0/24"}};
    store->sessions.record_uses(uses);
    writes.clear();
    store->sessions.record_uses(uses);
    store->sessions.record_uses({});
    BOOST_TEST(writes.empty());
}
