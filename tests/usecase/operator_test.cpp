// Tests src/usecase/clients.cpp, sessions.cpp, virtual_keys.cpp, resource_servers.cpp and
// services.cpp: the use-cases of the operator.
#include "dependencies_fixture.h"

#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/services.h"
#include "consentgate/usecase/sessions.h"
#include "consentgate/usecase/virtual_keys.h"

using namespace consentgate;
using namespace consentgate::tests;

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

BOOST_AUTO_TEST_SUITE_END()
