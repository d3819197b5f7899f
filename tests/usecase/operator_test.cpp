// Tests src/usecase/clients.cpp, sessions.cpp, virtual_keys.cpp, resource_servers.cpp and
// services.cpp: the use-cases of the operator.
#include "dependencies_fixture.h"

#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/resource_servers.h"
#include "consentgate/usecase/services.h"
#include "consentgate/usecase/sessions.h"
#include "consentgate/usecase/virtual_keys.h"
#include "tests/support/captured_log.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct OperatorFixture : DependenciesFixture {
    // A person signs in; the session's access token.
    core::Secret sign_in() {
        const auto submitted = usecase::submit_consent(deps, {.flow = begin()}, person, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        const auto code = core::Secret(query_value(submitted->location.reveal(), "code"));
        return *keyring.session_token(keyring.newest(), code);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(operators, OperatorFixture)

BOOST_AUTO_TEST_CASE(a_client_is_disabled_once_and_an_unknown_one_is_not_found) {
    const auto id = sample_client().id;
    BOOST_TEST(usecase::list_clients(deps).size() == 1U);
    BOOST_TEST(usecase::find_client(deps, id)->active);
    BOOST_TEST(code_of(usecase::disable_client(deps, id)) == "ok");
    BOOST_TEST(!usecase::find_client(deps, id)->active);
    const auto again = usecase::disable_client(deps, id);
    BOOST_TEST(code_of(again) == "not_found");
    BOOST_TEST(again.error().message == "there is no active client '" + id.text + "'");
    BOOST_TEST(code_of(usecase::find_client(deps, core::ClientId("nobody"))) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_session_ends_once_and_its_token_is_then_reported_as_revoked) {
    const auto token = sign_in();
    const auto sessions = usecase::list_sessions(deps, noon);
    BOOST_REQUIRE(sessions.size() == 1U);
    const auto id = sessions.front().session.id;
    const auto living = usecase::inspect_token(deps, token, noon);
    BOOST_TEST(static_cast<bool>(living.valid));
    BOOST_TEST((living.view->session.id == id));

    BOOST_TEST(code_of(usecase::end_session(deps, id, noon)) == "ok");
    BOOST_TEST(code_of(usecase::end_session(deps, id, noon)) == "not_found");
    BOOST_TEST(usecase::list_sessions(deps, noon).empty());
    const auto over = usecase::inspect_token(deps, token, noon);
    BOOST_TEST(over.valid.error().reason == "revoked");
    BOOST_TEST((over.view->session.id == id));
    BOOST_TEST(!usecase::inspect_token(deps, core::Secret("none"), noon).view.has_value());
}

BOOST_AUTO_TEST_CASE(a_virtual_key_is_disabled_once) {
    const auto made = usecase::add_virtual_key(deps, "Anna", std::nullopt, {}, noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    BOOST_TEST(usecase::list_virtual_keys(deps).size() == 1U);
    const auto linked = usecase::disable_virtual_key(deps, made->key.id, noon);
    BOOST_TEST(code_of(linked) == "ok");
    BOOST_TEST(*linked == 0U);
    BOOST_TEST(code_of(usecase::disable_virtual_key(deps, made->key.id, noon)) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_resource_server_is_disabled_once) {
    const auto made =
        usecase::add_resource_server(deps, {"https://mcp.example.org/other", {}, {}}, {}, noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    BOOST_TEST(usecase::list_resource_servers(deps).size() == 1U);
    BOOST_TEST(code_of(usecase::disable_resource_server(deps, made->server.id)) == "ok");
    BOOST_TEST(code_of(usecase::disable_resource_server(deps, made->server.id)) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_resource_that_is_guarded_already_is_not_added_again, *label("XA6")) {
    const core::GuardedResource resource{"https://mcp.example.org/other", {}, {}};
    const auto made = usecase::add_resource_server(deps, resource, {}, noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    for (const auto* same : {"https://mcp.example.org/other", "HTTPS://MCP.example.org/other"}) {
        const auto again = usecase::add_resource_server(deps, {same, {}, {}}, {}, noon);
        BOOST_TEST_CONTEXT(same) BOOST_TEST(code_of(again) == "invalid_target");
    }
    BOOST_TEST(usecase::list_resource_servers(deps).size() == 1U);
    BOOST_TEST(code_of(usecase::disable_resource_server(deps, made->server.id)) == "ok");
    BOOST_TEST(code_of(usecase::add_resource_server(deps, resource, {}, noon)) == "ok");
}

BOOST_AUTO_TEST_CASE(
    a_change_of_a_resource_reaches_all_of_its_servers_and_keeps_their_secrets, *label("XA6")) {
    const std::string url = "https://mcp.example.org/other";
    store->services.put(sample_service());
    const auto made =
        usecase::add_resource_server(deps, {url, {}, {}}, {sample_service().id.text}, noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    auto older = made->server; // of a database of before
    older.id = core::ResourceServerId("cgrs_older");
    older.created_at = noon - core::Span(1);
    store->resource_servers.put(older);
    const auto scope = policy.default_scopes;
    const auto changed = usecase::change_resource_server(
        deps, url, {.scope = scope, .services = std::vector<std::string>()});
    BOOST_REQUIRE_EQUAL(code_of(changed), "ok");
    BOOST_TEST((changed->before.services == made->server.services));
    BOOST_TEST(changed->after.services.empty());
    BOOST_TEST(!changed->clear.has_value());
    for (const auto& id : {made->server.id, older.id}) {
        const auto found = *store->resource_servers.find(id);
        BOOST_TEST(found.services.empty());
        BOOST_TEST((found.scope == scope));
        BOOST_TEST((found.secret == made->server.secret));
    }
    const auto rotated = usecase::change_resource_server(deps, url, {.rotate_secret = true});
    BOOST_REQUIRE_EQUAL(code_of(rotated), "ok");
    BOOST_TEST(
        (store->resource_servers.find(made->server.id)->secret ==
         core::sha256(rotated->clear.value())));
    BOOST_TEST((store->resource_servers.find(older.id)->secret == made->server.secret));
}

BOOST_AUTO_TEST_CASE(
    what_is_said_of_a_resource_is_what_pages_and_gate_read_and_stays_when_other_things_change,
    *label("N1") * label("N4")) {
    const std::string url = "https://mcp.example.org/other";
    const core::ResourceDescription description{
        .name = "Files", .documentation = "https://d.example/", .policy = {}, .tos = {}};
    const auto made = usecase::add_resource_server(
        deps, {.url = url, .description = description, .origins = core::AllowedOrigins::none()}, {},
        noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    const auto read = [&] { return usecase::guarded_resources(deps).back(); };
    BOOST_TEST((read().description == description));
    BOOST_TEST(read().origins.text() == "none");
    BOOST_TEST(
        code_of(usecase::change_resource_server(deps, url, {.tos = "https://d.example/tos"})) ==
        "ok");
    BOOST_TEST(read().description.name == "Files");
    BOOST_TEST(read().description.tos == "https://d.example/tos");
    BOOST_TEST(read().origins.text() == "none");
    BOOST_TEST(
        code_of(usecase::change_resource_server(deps, url, {.tos = "http://d.example/tos"})) ==
        "invalid_target");
    BOOST_TEST(
        code_of(usecase::change_resource_server(
            deps, url,
            {.name = "", .origins = *core::AllowedOrigins::parse("https://app.example")})) == "ok");
    BOOST_TEST(core::shown_name(read()) == "mcp.example.org/other");
    BOOST_TEST(read().origins.text() == "https://app.example");
    BOOST_TEST(read().description.tos == "https://d.example/tos");
}

BOOST_AUTO_TEST_CASE(a_change_that_names_what_is_not_there_changes_nothing, *label("XA6")) {
    const std::string url = "https://mcp.example.org/other";
    BOOST_TEST(code_of(usecase::change_resource_server(deps, url, {})) == "not_found");
    const auto made = usecase::add_resource_server(deps, {url, {}, {}}, {}, noon);
    BOOST_REQUIRE_EQUAL(code_of(made), "ok");
    const auto refused = [&](const usecase::ResourceChange& change) {
        return code_of(usecase::change_resource_server(deps, url, change));
    };
    BOOST_TEST(refused({.services = std::vector<std::string>{"nowhere"}}) == "invalid_target");
    BOOST_TEST(refused({.scope = *core::ScopeSet::parse("nothing")}) == "invalid_target");
    BOOST_TEST(store->resource_servers.find(made->server.id)->services.empty());
    BOOST_TEST(code_of(usecase::disable_resource_server(deps, made->server.id)) == "ok");
    BOOST_TEST(refused({.scope = policy.default_scopes}) == "not_found");
}

BOOST_AUTO_TEST_CASE(
    sessions_end_by_a_filter_each_with_a_line_that_names_client_session_and_person, *label("XA4")) {
    const auto token = sign_in(), other = sign_in();
    const auto view = *usecase::inspect_token(deps, token, noon).view;
    std::size_t reported = 0;
    std::string lines;
    {
        const CapturedLog captured;
        const auto ended = usecase::end_sessions(
            deps, {.client = sample_client().id}, noon,
            [&](std::size_t count) { reported = count; });
        BOOST_TEST(ended == 2U);
        lines = captured.text();
    }
    BOOST_TEST(reported == 2U);
    for (const auto& one : {token, other})
        BOOST_TEST(usecase::inspect_token(deps, one, noon).valid.error().reason == "revoked");
    BOOST_TEST(
        lines.find(
            " by=operator session=" + view.session.id.text + " client=" + sample_client().id.text +
            " subject=" + core::subject_of(view.session) + "\n") != std::string::npos);
    BOOST_TEST(usecase::end_sessions(deps, {.client = sample_client().id}, noon, [](std::size_t) {
               }) == 0U);
}

BOOST_AUTO_TEST_CASE(a_service_changed_meanwhile_is_not_switched_off_by_an_older_reading) {
    auto service = sample_service();
    usecase::add_service(deps, service);
    service = *usecase::find_service(deps, service.id);
    BOOST_TEST(code_of(usecase::set_service_active(deps, service, false)) == "ok");
    BOOST_TEST(!usecase::find_service(deps, service.id)->active);
    BOOST_TEST(code_of(usecase::set_service_active(deps, service, true)) == "store_unavailable");
    BOOST_TEST(!usecase::find_service(deps, service.id)->active);
}

BOOST_AUTO_TEST_CASE(a_service_without_linked_accounts_is_removed) {
    const auto service = sample_service();
    usecase::add_service(deps, service);
    BOOST_TEST(usecase::list_services(deps).size() == 1U);
    BOOST_TEST(usecase::count_linked_accounts(deps, service.id) == 0U);
    const auto removed = usecase::remove_service(deps, service.id, usecase::Unrevoked::keep);
    BOOST_TEST(code_of(removed) == "ok");
    BOOST_TEST(code_of(usecase::find_service(deps, service.id)) == "not_found");
}

BOOST_AUTO_TEST_CASE(
    the_accounts_of_a_person_who_leaves_end_and_those_of_others_stay, *label("XA4")) {
    const auto owner = core::Owner::verified_user("anna"), other = core::Owner::verified_user("bo");
    sign_in();
    const auto session = usecase::list_sessions(deps, noon).front().session;
    const auto service = sample_service().id;
    for (const auto& of : {owner, other}) {
        core::LinkedAccount account;
        account.id = of.id().substr(0, 16);
        account.owner = of;
        account.service = service;
        account.access_token = "ciphertext";
        account.key_id = keyring.newest();
        BOOST_REQUIRE(
            (store->accounts.connect_in_session(session.id, account, noon) == store::Applied::yes));
    }
    BOOST_TEST(usecase::end_linked_accounts(deps, owner, noon) == 1U);
    BOOST_TEST(usecase::end_linked_accounts(deps, owner, noon) == 0U);
    BOOST_TEST(!store->accounts.find(owner, service).has_value());
    BOOST_TEST(store->accounts.find(other, service).has_value());
    BOOST_TEST(store->accounts.list_to_revoke(noon, 10).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
