// A store's cache is never behind the last commit, whichever process made it.
#include "sample.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// All that a call to an MCP server rests on.
struct Standing {
    core::ResourceServer server{
        core::ResourceServerId("cgrs_" + fresh_id()),
        "https://tools.example.org/mcp",
        fresh_digest(),
        true,
        noon,
        {},
        {}};
    core::VirtualKey key = sample_key();
    core::Service service = sample_service();
    core::Finalization finalization;
    core::RefreshToken refresh;
    core::LinkedAccount token;
    core::Owner owner;
    std::string first_token; // upstream, sealed

    explicit Standing(store::Store& store) {
        store.resource_servers.put(server);
        store.virtual_keys.put(key);
        store.services.put(service);
        const core::Identity identity{core::IdentityKind::virtual_key, key.id.text};
        finalization = finalization_of(put_sample_flow(store), identity);
        store.flows.finalize(finalization);
        refresh = {
            fresh_digest(), finalization.session.id, core::KeyId("k1"),
            noon + core::Span(30 * 86400), std::nullopt};
        BOOST_REQUIRE((
            store.codes.redeem(finalization.code.hash, fresh_id(), refresh, noon) == Applied::yes));
        owner = identity.owner(finalization.session.id);
        connect(store);
        first_token = token.access_token;
    }

    void connect(store::Store& store) {
        auto connected = sample_token(service.id.text);
        connected.owner = owner;
        BOOST_REQUIRE(
            (store.accounts.connect_in_session(finalization.session.id, connected, noon) ==
             Applied::yes));
        token = store.accounts.find(owner, service.id).value();
    }

    std::optional<core::SessionView> view(store::Store& store) const {
        return store.sessions.find(finalization.session.token);
    }
    core::ServiceAccount account(store::Store& store) const {
        return store.accounts.find_with_service(owner, service.id);
    }
    core::IntrospectionLookup lookup(store::Store& store) const {
        return store.resource_servers.find_with_session(server.id, finalization.session.token);
    }
    void ask_all(store::Store& store) const {
        for (int again = 0; again < 3; ++again) {
            BOOST_REQUIRE(view(store).has_value());
            BOOST_REQUIRE(account(store).token.has_value());
            BOOST_REQUIRE((lookup(store).view != nullptr));
        }
    }
};

struct Change {
    const char* what;
    std::function<void(Standing&, store::Store&)> make;
    std::function<bool(const Standing&, store::Store&)> seen;
};

const std::vector<Change> changes{
    {"an access token is revoked",
     [](Standing& of, store::Store& store) {
         store.tokens.revoke_access(of.finalization.session.token, noon);
     },
     [](const Standing& of, store::Store& store) {
         return of.view(store)->session.token_ends() == noon &&
                of.lookup(store).view->session.token_ends() == noon;
     }},
    {"a session is revoked",
     [](Standing& of, store::Store& store) {
         store.sessions.revoke(of.finalization.session.id, noon);
     },
     [](const Standing& of, store::Store& store) {
         return of.view(store)->session.revoked_at && of.lookup(store).view->session.revoked_at;
     }},
    {"a session lasts longer",
     [](Standing& of, store::Store& store) {
         const auto until = noon + core::Span(40 * 86400);
         const core::RefreshToken next{
             fresh_digest(), of.refresh.session_id, core::KeyId("k1"), until, std::nullopt};
         store.tokens.rotate_refresh(
             {of.refresh.hash,
              of.refresh.key_id,
              next,
              {fresh_digest(), of.refresh.session_id, *core::ScopeSet::parse("mcp"), until}},
             noon);
     },
     [](const Standing& of, store::Store& store) {
         return of.view(store)->session.expires_at == noon + core::Span(40 * 86400);
     }},
    {"a client is disabled",
     [](Standing& of, store::Store& store) {
         store.clients.disable(of.finalization.session.client_id);
     },
     [](const Standing& of, store::Store& store) {
         return !of.view(store)->client_active && !of.lookup(store).view->client_active;
     }},
    {"a virtual key is disabled",
     [](Standing& of, store::Store& store) { store.virtual_keys.disable(of.key.id, noon); },
     [](const Standing& of, store::Store& store) {
         return !of.view(store)->virtual_key->active &&
                !of.lookup(store).view->virtual_key->active && !of.account(store).token;
     }},
    {"a resource server is disabled",
     [](Standing& of, store::Store& store) { store.resource_servers.disable(of.server.id); },
     [](const Standing& of, store::Store& store) { return !of.lookup(store).server->active; }},
    {"a service is switched off",
     [](Standing& of, store::Store& store) {
         of.service.active = false;
         store.services.update(of.service);
     },
     [](const Standing& of, store::Store& store) { return !of.account(store).service->active; }},
    {"another account is connected", [](Standing& of, store::Store& store) { of.connect(store); },
     [](const Standing& of, store::Store& store) {
         return of.account(store).token->access_token != of.first_token;
     }},
    {"an account is disconnected",
     [](Standing& of, store::Store& store) { store.accounts.mark_ended(of.token.id, noon); },
     [](const Standing& of, store::Store& store) { return !of.account(store).token; }},
    {"an upstream token is refreshed",
     [](Standing& of, store::Store& store) {
         of.token.access_token = "fresh " + fresh_id();
         BOOST_REQUIRE(
             (store.accounts.claim_refresh(
                  of.token.id, of.token.version, "lease", noon + core::Span(60), noon) ==
              Applied::yes));
         BOOST_REQUIRE((store.accounts.save_refreshed(of.token, "lease", noon) == Applied::yes));
     },
     [](const Standing& of, store::Store& store) {
         return of.account(store).token->access_token != of.first_token;
     }},
    {"a session is swept",
     [](Standing&, store::Store& store) {
         store.maintenance.sweep(noon + core::Span(400 * 86400), noon, 10000);
     },
     [](const Standing& of, store::Store& store) {
         return !of.view(store) && !of.lookup(store).view;
     }},
};

void each_change_is_seen_by(store::Store& reader, store::Store& writer) {
    for (const auto& change : changes) {
        Standing standing(writer);
        standing.ask_all(reader);
        BOOST_TEST(!change.seen(standing, reader), change.what << " is seen before it was made");
        change.make(standing, writer);
        BOOST_TEST(change.seen(standing, reader), change.what << ", and it is not seen");
    }
}

} // namespace

STORE_CASE(a_commit_of_another_store_is_seen_at_once_however_often_it_was_asked_before, "V5 C11") {
    const auto reader = database.open();
    const auto writer = store::open_store(database.other_config());
    each_change_is_seen_by(*reader, *writer);
}

STORE_CASE(
    what_a_store_commits_itself_is_seen_at_once_however_often_it_was_asked_before, "V5 C11") {
    const auto store = database.open();
    each_change_is_seen_by(*store, *store);
}

STORE_CASE(more_sessions_than_a_store_caches_are_kept_apart, "C11") {
    auto config = database.config();
    config.max_cached = 2;
    const auto store = store::open_store(config);
    std::vector<core::Finalization> finalizations;
    for (int i = 0; i < 5; ++i)
        store->flows.finalize(finalizations.emplace_back(finalization_of(put_sample_flow(*store))));
    for (int round = 0; round < 4; ++round) {
        for (const auto& finalization : finalizations)
            BOOST_TEST(
                (store->sessions.find(finalization.session.token)->session.id ==
                 finalization.session.id));
    }
    BOOST_TEST(!store->sessions.find(fresh_digest()).has_value());
}
