// Refresh and access tokens at rest: rotation, ends, sweeping. spec: OAuth 2.1 section 4.3
#include "sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::RefreshToken refresh_of(
    const core::SessionId& session, core::Instant end = noon + core::Span(30 * 86400)) {
    return {fresh_digest(), session, core::KeyId("k1"), end, std::nullopt};
}

// A session whose code was redeemed, with its first refresh token.
struct Refreshable {
    core::Finalization finalization;
    core::RefreshToken first;
};

Refreshable refreshable(store::Store& store) {
    auto finalization = finalization_of(put_sample_flow(store));
    store.flows.finalize(finalization);
    auto first = refresh_of(finalization.session.id);
    BOOST_REQUIRE(
        (store.codes.redeem(finalization.code.hash, fresh_id(), first, noon) == Applied::yes));
    return {std::move(finalization), std::move(first)};
}

core::Rotation rotation_of(const core::RefreshToken& used, core::Instant now) {
    return {
        used.hash,
        used.key_id,
        refresh_of(used.session_id, now + core::Span(30 * 86400)),
        {fresh_digest(), used.session_id, *core::ScopeSet::parse("mcp"), now + core::Span(86400)}};
}

} // namespace

STORE_CASE(a_client_that_registered_the_refresh_grant_is_known_for_it, "T26 R8") {
    const auto store = database.open();
    auto client = sample_client();
    store->clients.put(client);
    BOOST_TEST(!store->clients.find(client.id)->refresh);
    client.id = core::ClientId("cgc_" + fresh_id());
    client.refresh = true;
    store->clients.put(client);
    BOOST_TEST(store->clients.find(client.id)->refresh);
}

STORE_CASE(a_first_refresh_token_lets_its_session_last_and_its_token_end_as_before, "T25") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    const auto found = store->tokens.find_refresh(first.hash);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST((found->token.expires_at == first.expires_at));
    BOOST_TEST(found->token.key_id.text == "k1");
    BOOST_TEST(!found->token.used_at.has_value());
    BOOST_TEST((found->session.session.id == finalization.session.id));
    BOOST_TEST(found->session.client_active);
    const auto session = store->sessions.find(finalization.session.token)->session;
    BOOST_TEST((session.expires_at == first.expires_at));
    BOOST_TEST((session.token_ends() == finalization.session.expires_at));
    BOOST_TEST(!store->tokens.find_refresh(fresh_digest()).has_value());
}

STORE_CASE(a_refresh_token_is_rotated_once_and_stays_marked, "T21 T22") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    const auto later = noon + core::Span(3600);
    const auto rotation = rotation_of(first, later);
    BOOST_TEST((store->tokens.rotate_refresh(rotation, later) == Applied::yes));
    BOOST_TEST((store->tokens.rotate_refresh(rotation_of(first, later), later) == Applied::no));
    BOOST_TEST((store->tokens.find_refresh(first.hash)->token.used_at == later));
    BOOST_TEST(!store->tokens.find_refresh(rotation.next.hash)->token.used_at.has_value());
    const auto session = store->sessions.find(rotation.access.hash);
    BOOST_REQUIRE(session.has_value());
    BOOST_TEST((session->session.id == finalization.session.id));
    BOOST_TEST((session->session.token_ends() == rotation.access.expires_at));
    BOOST_TEST((session->session.expires_at == rotation.next.expires_at));
    BOOST_TEST(store->sessions.find(finalization.session.token)
                   .has_value()); // the first access token has its own end

    const core::ResourceServer server{
        core::ResourceServerId("cgrs_" + fresh_id()),
        "https://tools.example.org/mcp",
        fresh_digest(),
        true,
        noon,
        {},
        {}};
    store->resource_servers.put(server);
    const auto lookup = store->resource_servers.find_with_session(server.id, rotation.access.hash);
    BOOST_REQUIRE((lookup.view != nullptr));
    BOOST_TEST(
        (lookup.view->session.token_ends() ==
         rotation.access.expires_at)); // its own token's, and not the first one's
}

STORE_CASE(an_expired_refresh_token_is_not_rotated, "T25 T28") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    BOOST_TEST(
        (store->tokens.rotate_refresh(rotation_of(first, first.expires_at), first.expires_at) ==
         Applied::no));
    const auto just = first.expires_at - core::Span(1);
    BOOST_TEST((store->tokens.rotate_refresh(rotation_of(first, just), just) == Applied::yes));
}

STORE_CASE(a_revoked_session_gets_no_more_tokens, "T22 V4") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    store->sessions.revoke(finalization.session.id, noon);
    const auto rotation = rotation_of(first, noon);
    BOOST_TEST((store->tokens.rotate_refresh(rotation, noon) == Applied::no));
    BOOST_TEST(!store->sessions.find(rotation.access.hash).has_value());
    BOOST_TEST(!store->tokens.find_refresh(rotation.next.hash).has_value());
    BOOST_TEST(store->tokens.find_refresh(first.hash)->session.session.revoked_at.has_value());
}

STORE_CASE(a_used_token_is_answered_late_five_times_and_an_unused_one_never, "XE4") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    BOOST_TEST((store->tokens.count_late_repeat(first.hash) == Applied::no));
    const auto rotation = rotation_of(first, noon);
    store->tokens.rotate_refresh(rotation, noon);
    for (std::int64_t repeats = 0; repeats < 5; ++repeats) {
        BOOST_TEST(store->tokens.find_refresh(first.hash)->token.late_repeats == repeats);
        BOOST_TEST((store->tokens.count_late_repeat(first.hash) == Applied::yes));
    }
    BOOST_TEST((store->tokens.count_late_repeat(first.hash) == Applied::no));
    BOOST_TEST(store->tokens.find_refresh(first.hash)->token.late_repeats == 5);
    BOOST_TEST((store->tokens.find_refresh(first.hash)->token.used_at == noon));
    BOOST_TEST(store->tokens.find_refresh(rotation.next.hash)->token.late_repeats == 0);
    BOOST_TEST((store->tokens.count_late_repeat(fresh_digest()) == Applied::no));
}

STORE_CASE(ten_processes_that_repeat_late_at_once_share_five_answers, "XE4") {
    const auto watcher = database.open();
    std::vector<core::RefreshToken> tokens;
    for (int i = 0; i < 10; ++i) {
        tokens.push_back(refreshable(*watcher).first);
        watcher->tokens.rotate_refresh(rotation_of(tokens.back(), noon), noon);
    }
    std::vector<pid_t> children;
    for (int child = 0; child < 10; ++child) {
        children.push_back(start_child([&, child] {
            const auto store =
                store::open_store(child % 2 == 0 ? database.config() : database.other_config());
            int answered = 0;
            for (const auto& token : tokens)
                answered += store->tokens.count_late_repeat(token.hash) == Applied::yes ? 1 : 0;
            return answered;
        }));
    }
    int answered = 0;
    for (const pid_t pid : children) answered += end_of(pid);
    BOOST_TEST(answered == 50);
    for (const auto& token : tokens)
        BOOST_TEST(watcher->tokens.find_refresh(token.hash)->token.late_repeats == 5);
}

STORE_CASE(an_access_token_for_a_rotation_made_before_is_put_once, "T23") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    const core::AccessToken access{
        fresh_digest(), first.session_id, *core::ScopeSet::parse("mcp"), noon + core::Span(60)};
    store->tokens.put_access(access);
    store->tokens.put_access(access);
    BOOST_TEST((store->sessions.find(access.hash)->session.token_ends() == access.expires_at));
}

STORE_CASE(an_access_token_is_revoked_without_the_others, "V4 V5") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    const auto rotation = rotation_of(first, noon);
    store->tokens.rotate_refresh(rotation, noon);
    BOOST_TEST((store->tokens.revoke_access(rotation.access.hash, noon) == Applied::yes));
    BOOST_TEST((store->tokens.revoke_access(rotation.access.hash, noon) == Applied::no));
    BOOST_TEST((store->sessions.find(rotation.access.hash)->session.token_ends() == noon));
    BOOST_TEST(
        (store->sessions.find(finalization.session.token)->session.token_ends() ==
         finalization.session.expires_at));
    BOOST_TEST((store->tokens.revoke_access(finalization.session.token, noon) == Applied::yes));
    BOOST_TEST((store->sessions.find(finalization.session.token)->session.token_ends() == noon));
    BOOST_TEST(
        !store->tokens.find_refresh(rotation.next.hash)->session.session.revoked_at.has_value());
    BOOST_TEST((store->tokens.revoke_access(fresh_digest(), noon) == Applied::no));
}

STORE_CASE(of_eight_processes_that_rotate_one_token_one_wins, "T17 T22 S3") {
    const auto watcher = database.open();
    std::vector<core::RefreshToken> tokens;
    for (int i = 0; i < 30; ++i) tokens.push_back(refreshable(*watcher).first);
    std::vector<pid_t> children;
    for (int child = 0; child < 8; ++child) {
        children.push_back(start_child([&, child] {
            const auto store =
                store::open_store(child % 2 == 0 ? database.config() : database.other_config());
            int won = 0;
            for (const auto& token : tokens)
                won += store->tokens.rotate_refresh(rotation_of(token, noon), noon) == Applied::yes
                           ? 1
                           : 0;
            return won;
        }));
    }
    int won = 0;
    for (const pid_t pid : children) won += end_of(pid);
    BOOST_TEST(won == 30);
}

STORE_CASE(expired_tokens_are_swept_and_a_session_that_lasts_is_not, "T25") {
    const auto store = database.open();
    const auto [finalization, first] = refreshable(*store);
    const auto rotation = rotation_of(first, noon + core::Span(20 * 86400));
    store->tokens.rotate_refresh(rotation, noon + core::Span(20 * 86400));
    const auto later =
        noon +
        core::Span(
            31 *
            86400); // the first refresh token and the access tokens are over, the session is not
    while (store->maintenance.sweep(later, noon - core::Span(86400), 50).total() > 0) {}
    BOOST_TEST(!store->tokens.find_refresh(first.hash).has_value());
    BOOST_TEST(!store->sessions.find(rotation.access.hash).has_value());
    BOOST_TEST(store->tokens.find_refresh(rotation.next.hash).has_value());
    const auto much_later = noon + core::Span(60 * 86400);
    while (store->maintenance.sweep(much_later, noon - core::Span(86400), 50).total() > 0) {}
    BOOST_TEST(!store->tokens.find_refresh(rotation.next.hash).has_value());
    BOOST_TEST(!store->sessions.find(finalization.session.token).has_value());
}
