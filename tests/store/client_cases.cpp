// Clients with a secret or a key, assertions, resource servers.
#include "sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

STORE_CASE(the_credentials_of_a_client_come_back, "T7 T10") {
    const auto store = database.open();
    auto client = sample_client();
    store->clients.put(client);
    BOOST_TEST((store->clients.find(client.id)->auth == core::ClientAuth::none));
    BOOST_TEST(store->clients.find(client.id)->secret.hex.empty());
    client.id = core::ClientId("cgc_" + fresh_id());
    client.auth = core::ClientAuth::client_secret_post;
    client.secret = fresh_digest();
    store->clients.put(client);
    BOOST_TEST((store->clients.find(client.id)->auth == client.auth));
    BOOST_TEST((store->clients.find(client.id)->secret == client.secret));
    client.id = core::ClientId("cgc_" + fresh_id());
    client.auth = core::ClientAuth::private_key_jwt;
    client.secret = {};
    client.jwks = "{\"keys\":[" + std::string(10000, ' ') + "]}";
    store->clients.put(client);
    BOOST_TEST((store->clients.find(client.id)->auth == client.auth));
    BOOST_TEST(store->clients.find(client.id)->jwks == client.jwks);
}

STORE_CASE(an_assertion_is_good_once_and_forgotten_when_it_is_over, "T11 K41") {
    const auto store = database.open();
    const auto assertion = fresh_digest();
    BOOST_TEST(
        (store->clients.use_assertion(assertion, noon + core::Span(60), fresh_id()) ==
         Applied::yes));
    BOOST_TEST(
        (database.open()->clients.use_assertion(assertion, noon + core::Span(60), fresh_id()) ==
         Applied::no));
    BOOST_TEST(
        (store->clients.use_assertion(fresh_digest(), noon + core::Span(60), fresh_id()) ==
         Applied::yes));
    store->maintenance.sweep(noon + core::Span(60), noon, 1000);
    BOOST_TEST((
        store->clients.use_assertion(assertion, noon + core::Span(60), fresh_id()) == Applied::no));
    store->maintenance.sweep(noon + core::Span(61), noon, 1000);
    BOOST_TEST(
        (store->clients.use_assertion(assertion, noon + core::Span(60), fresh_id()) ==
         Applied::yes));
}

STORE_CASE(a_resource_server_comes_back_as_it_was_put_and_is_disabled_once, "V7") {
    const auto store = database.open();
    const core::ResourceServer server{
        core::ResourceServerId("cgrs_" + fresh_id()),
        "https://tools.example.org/mcp",
        fresh_digest(),
        true,
        noon,
        {},
        *core::ScopeSet::parse("mcp profile"),
        {.name = "Annas Werkzeuge \u00e4",
         .documentation = "https://docs.example/",
         .policy = "https://docs.example/policy",
         .tos = "https://docs.example/tos"},
        *core::AllowedOrigins::parse("https://app.example http://localhost:6274"),
        {.groups = core::SharedGroups::all, .assertion = core::AssertionPlace::header}};
    store->resource_servers.put(server);
    const auto found = store->resource_servers.find(server.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->resource == server.resource);
    BOOST_TEST((found->secret == server.secret));
    BOOST_TEST(found->active);
    BOOST_TEST((found->created_at == noon));
    BOOST_TEST(found->scope.text() == "mcp profile");
    BOOST_TEST((found->description == server.description));
    BOOST_TEST((found->origins == server.origins));
    BOOST_TEST((found->facts == server.facts));
    const auto listed = store->resource_servers.list();
    BOOST_TEST(std::count_if(listed.begin(), listed.end(), [&](const auto& one) {
                   return one.id == server.id;
               }) == 1);
    BOOST_TEST((store->resource_servers.disable(server.id) == Applied::yes));
    BOOST_TEST((store->resource_servers.disable(server.id) == Applied::no));
    BOOST_TEST(!store->resource_servers.find(server.id)->active);
    BOOST_TEST(!store->resource_servers.find(core::ResourceServerId("cgrs_unknown")).has_value());
}

STORE_CASE(what_an_operator_says_of_a_resource_is_changed_and_taken_back, "N1 N4 SI74 SI75") {
    const auto store = database.open();
    core::ResourceServer server;
    server.id = core::ResourceServerId("cgrs_" + fresh_id());
    server.resource = "https://tools.example.org/" + fresh_id();
    server.secret = fresh_digest();
    store->resource_servers.put(server);
    BOOST_TEST(store->resource_servers.find(server.id)->origins.is_any());
    BOOST_TEST((store->resource_servers.find(server.id)->facts == core::FactChoice{}));
    for (const auto groups :
         {core::SharedGroups::none, core::SharedGroups::all, core::SharedGroups::named})
        for (const auto place :
             {core::AssertionPlace::bearer, core::AssertionPlace::header,
              core::AssertionPlace::off}) {
            server.facts = {.groups = groups, .assertion = place};
            BOOST_TEST((store->resource_servers.change({&server, 1}) == Applied::yes));
            BOOST_TEST((store->resource_servers.find(server.id)->facts == server.facts));
        }
    for (const auto* origins : {"none", "https://app.example", "any"}) {
        server.description.name = origins;
        server.description.tos = std::string("https://docs.example/") + origins;
        server.origins = *core::AllowedOrigins::parse(origins);
        BOOST_TEST((store->resource_servers.change({&server, 1}) == Applied::yes));
        const auto found = *store->resource_servers.find(server.id);
        BOOST_TEST((found.description == server.description));
        BOOST_TEST(found.origins.text() == origins);
        BOOST_TEST(found.resource == server.resource);
    }
    server.description = {};
    server.active = false; // which is not a change's to make
    BOOST_TEST((store->resource_servers.change({&server, 1}) == Applied::yes));
    BOOST_TEST((store->resource_servers.find(server.id)->description == server.description));
    BOOST_TEST(store->resource_servers.find(server.id)->active);
}

STORE_CASE(a_resource_server_and_the_session_of_a_token_are_found_together, "V7 RS6") {
    const auto store = database.open();
    const core::ResourceServer server{
        core::ResourceServerId("cgrs_" + fresh_id()),
        "https://tools.example.org/mcp",
        fresh_digest(),
        true,
        noon,
        {},
        {}};
    store->resource_servers.put(server);
    const auto finalization = finalization_of(put_sample_flow(*store));
    store->flows.finalize(finalization);
    const auto both =
        store->resource_servers.find_with_session(server.id, finalization.session.token);
    BOOST_REQUIRE((both.server && both.view));
    BOOST_TEST((both.server->secret == server.secret));
    BOOST_TEST(both.server->resource == server.resource);
    BOOST_TEST((both.view->session.id == finalization.session.id));
    BOOST_TEST(
        both.view->client_name == store->sessions.find(finalization.session.token)->client_name);
    BOOST_TEST((both.view->session.expires_at == finalization.session.expires_at));

    const auto no_session = store->resource_servers.find_with_session(server.id, fresh_digest());
    BOOST_TEST((no_session.server && !no_session.view));
    const auto no_server = store->resource_servers.find_with_session(
        core::ResourceServerId("cgrs_unknown"), finalization.session.token);
    BOOST_TEST((!no_server.server && !no_server.view));
}

namespace {

core::Client client_with_keys_at_an_address(const std::string& id) {
    auto client = sample_client();
    client.id = core::ClientId(id);
    client.auth = core::ClientAuth::private_key_jwt;
    client.jwks_uri = "https://app.example/jwks";
    return client;
}

} // namespace

STORE_CASE(
    keys_of_an_address_are_kept_while_it_is_the_clients_and_one_may_look_for_others, "R38 RS10") {
    const auto store = database.open();
    auto client = client_with_keys_at_an_address("cgc_" + fresh_id());
    store->clients.put(client);
    BOOST_TEST(store->clients.find(client.id)->jwks_uri == client.jwks_uri);
    BOOST_TEST(!store->clients.find(client.id)->jwks_expires_at.has_value());
    client.jwks = "{\"keys\":[" + std::string(64 * 1024 - 11, ' ') + "]}";
    client.jwks_expires_at = noon + core::Span(600);
    BOOST_TEST((store->clients.save_keys(client) == Applied::yes));
    BOOST_TEST(store->clients.find(client.id)->jwks == client.jwks);
    BOOST_TEST((store->clients.find(client.id)->jwks_expires_at == client.jwks_expires_at));
    auto moved = client;
    moved.jwks_uri = "https://app.example/JWKS";
    moved.jwks = "{}";
    BOOST_TEST((store->clients.save_keys(moved) == Applied::no));
    BOOST_TEST(store->clients.find(client.id)->jwks == client.jwks);

    BOOST_TEST((store->clients.claim_keys(client.id, noon, noon - core::Span(60)) == Applied::yes));
    BOOST_TEST(
        (database.open()->clients.claim_keys(
             client.id, noon + core::Span(59), noon - core::Span(1)) == Applied::no));
    BOOST_TEST(
        (database.open()->clients.claim_keys(client.id, noon + core::Span(60), noon) ==
         Applied::yes));
}

STORE_CASE(a_document_read_again_keeps_fetched_keys_while_their_address_stays, "R38 R36") {
    const auto store = database.open();
    auto client = client_with_keys_at_an_address("https://app.example/" + fresh_id());
    store->clients.put_document(client, noon);
    auto fetched = client;
    fetched.jwks = "{\"keys\":[]}";
    fetched.jwks_expires_at = noon + core::Span(600);
    BOOST_TEST((store->clients.save_keys(fetched) == Applied::yes));
    store->clients.put_document(client, noon + core::Span(60));
    BOOST_TEST(store->clients.find(client.id)->jwks == fetched.jwks);
    client.jwks_uri = "https://app.example/other";
    store->clients.put_document(client, noon + core::Span(120));
    BOOST_TEST(store->clients.find(client.id)->jwks.empty());
    BOOST_TEST(!store->clients.find(client.id)->jwks_expires_at.has_value());
    client.jwks_uri.clear();
    client.jwks = "{}";
    store->clients.put_document(client, noon + core::Span(180));
    BOOST_TEST(store->clients.find(client.id)->jwks == "{}");
    BOOST_TEST(store->clients.find(client.id)->jwks_uri.empty());
}
