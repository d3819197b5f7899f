// The gate from the web server's question to the word it gets, with real sessions on a real store.
#include "consentgate/web/gate.h"

#include "tests/support/guarded.h"

#include "consentgate/core/oauth/gate.h"
#include "consentgate/usecase/introspection.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using web::Asked;

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(
    nobody_passes_without_a_token_whatever_the_method,
    *label("C1") * label("C2") * label("C3") * label("C4") * label("C14") * label("C15")) {
    Guarded town;
    for (const auto* method : {"GET", "HEAD", "POST", "DELETE", "PUT", "BREW"}) {
        const auto reply = town.call("/mcp", "", Asked::as_authorizer, method);
        BOOST_TEST_CONTEXT(method) {
            BOOST_TEST(reply.status == 401);
            BOOST_TEST(
                challenge(reply) ==
                "Bearer resource_metadata=\"https://tools.example.org/.well-known/"
                "oauth-protected-resource/mcp\", scope=\"mcp\"");
            BOOST_TEST(text_of(reply).starts_with("Status: 401"));
        }
    }
    BOOST_TEST(holds(
        challenge(town.call("/mcp/profile/x", "")),
        "oauth-protected-resource/mcp/profile\", scope=\"mcp profile\""));
}

BOOST_AUTO_TEST_CASE(
    a_good_token_passes_and_the_server_behind_learns_whose_it_is,
    *label("RS6") * label("RS7") * label("RS11") * label("C11")) {
    Guarded town;
    const auto token = town.token_for("/mcp", "mcp", "user-id", "&user_id=ada");
    const auto reply = town.call("/mcp/x?y=1", token);
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Variable-CONSENTGATE_USER") == "ada");
    BOOST_TEST(
        header_of(reply, "Variable-CONSENTGATE_SUBJECT") ==
        header_of(reply, "Variable-REMOTE_USER"));
    BOOST_TEST(header_of(reply, "Variable-CONSENTGATE_AUTHORIZATION") == "(absent)");
    BOOST_TEST(!holds(text_of(reply), token));
    // All of it is for the web server: Apache hands every other header of a 200 to the client.
    for (const auto& [name, value] : reply.headers)
        BOOST_TEST_CONTEXT(name) BOOST_TEST(name.starts_with("Variable-"));
    BOOST_TEST(!holds(text_of(reply), "Content-Length"));
    BOOST_TEST(text_of(reply).starts_with("Status: 200"));
    BOOST_TEST(town.call("/mcp", "").status == 401);
}

BOOST_AUTO_TEST_CASE(each_fact_has_its_variable_and_its_header, *label("RS11")) {
    Guarded town;
    const auto token = town.token_for("/mcp", "mcp", "user-id", "&user_id=ada");
    const auto variables = town.call("/mcp", token);
    const auto headers = town.call("/mcp", token, Asked::to_answer);
    const std::pair<const char*, const char*> names[] = {
        {"SUBJECT", "Subject"}, {"USER", "User"},   {"IDENTITY", "Identity"},
        {"CLIENT", "Client"},   {"SCOPE", "Scope"}, {"SESSION", "Session"}};
    for (const auto& [variable, header] : names) {
        BOOST_TEST_CONTEXT(header) {
            const auto value =
                header_of(variables, std::string("Variable-CONSENTGATE_") + variable);
            BOOST_TEST(value != "(absent)");
            BOOST_TEST(header_of(headers, std::string("Consentgate-") + header) == value);
        }
    }
    BOOST_TEST(header_of(variables, "Variable-CONSENTGATE_IDENTITY") == "user_id");
    BOOST_TEST(header_of(variables, "Variable-CONSENTGATE_SCOPE") == "mcp");
}

BOOST_AUTO_TEST_CASE(nginx_gets_the_same_in_headers, *label("RS11") * label("C5")) {
    Guarded town;
    const auto token = town.token_for("/mcp");
    const auto reply = town.call("/mcp", token, Asked::to_answer);
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Consentgate-Client") == "cgc_sample");
    BOOST_TEST(header_of(reply, "Consentgate-User") == "(absent)");
    // It knows no other refusal than 401 and 403.
    for (const auto& [target, bearer, status] :
         {std::tuple("/mcp", "", 401), std::tuple("/mcp", "nonsense", 401),
          std::tuple("/nowhere", "x", 403), std::tuple("/mcp/../x", "x", 403)}) {
        BOOST_TEST_CONTEXT(target)
        BOOST_TEST(town.call(target, bearer, Asked::to_answer).status == status);
    }
    BOOST_TEST(
        town.call("/mcp/profile", town.token_for("/mcp/profile"), Asked::to_answer).status == 403);
    BOOST_TEST(
        town.call("/mcp", "", Asked::to_answer, "OPTIONS").status ==
        401); // any 2xx would let it pass
}

BOOST_AUTO_TEST_CASE(
    a_bad_token_is_401_and_never_anything_else, *label("C5") * label("RS4") * label("RS8")) {
    Guarded town;
    const auto token = town.token_for("/mcp");
    for (const auto& bad :
         {std::string("x"), token + "x", token.substr(1), std::string("sk-bf-x")}) {
        const auto reply = town.call("/mcp", bad);
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(reply.status == 401);
            BOOST_TEST(holds(challenge(reply), "error=\"invalid_token\""));
            BOOST_TEST(holds(challenge(reply), "resource_metadata=\""));
        }
    }
    BOOST_TEST(town.call("/mcp/profile", token).status == 401);
    BOOST_TEST(town.call("/mcp", town.token_for("/mcp/notion")).status == 401);
    auto late = TestServer::request("POST", "/mcp");
    late.authorization = "Bearer " + token;
    late.now = noon + core::Span(86400);
    BOOST_TEST(town.ask(late).status == 401);
}

BOOST_AUTO_TEST_CASE(
    two_tokens_or_half_a_header_are_a_bad_request_and_one_in_the_address_is_none,
    *label("C8") * label("C9") * label("C10")) {
    Guarded town;
    const auto token = town.token_for("/mcp");
    BOOST_TEST(town.call("/mcp?access_token=" + token, "").status == 401);
    BOOST_TEST(!holds(challenge(town.call("/mcp?access_token=" + token, "")), "error="));
    const auto twice = town.call("/mcp?a=b&access_token=" + token, token);
    BOOST_TEST(twice.status == 400);
    BOOST_TEST(holds(challenge(twice), "error=\"invalid_request\""));
    BOOST_TEST(town.call("/mcp?not_access_token=1", token).status == 200);
    auto half = TestServer::request("POST", "/mcp");
    half.authorization = "Bearer ";
    BOOST_TEST(town.ask(half).status == 400);
    half.authorization = "bEaReR " + token;
    BOOST_TEST(town.ask(half).status == 200);
}

BOOST_AUTO_TEST_CASE(a_resource_takes_its_own_scopes_and_says_all_of_them, *label("C6")) {
    Guarded town;
    const auto reply = town.call("/mcp/profile", town.token_for("/mcp/profile", "mcp"));
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(holds(challenge(reply), "error=\"insufficient_scope\""));
    BOOST_TEST(holds(challenge(reply), "scope=\"mcp profile\""));
    BOOST_TEST(
        town.call("/mcp/profile", town.token_for("/mcp/profile", "mcp profile")).status == 200);
}

BOOST_AUTO_TEST_CASE(
    a_browsers_preflight_is_answered_before_anybody_is_asked_who_they_are, *label("C13")) {
    Guarded town;
    const auto reply = town.call("/mcp", "", Asked::as_authorizer, "OPTIONS");
    BOOST_TEST(
        reply.status == 204); // which both servers give to the client, and do not take for a yes
    BOOST_TEST(holds(header_of(reply, "Access-Control-Allow-Headers"), "Mcp-Session-Id"));
    BOOST_TEST(
        header_of(town.call("/mcp", ""), "Access-Control-Expose-Headers") ==
        "WWW-Authenticate, Mcp-Session-Id");
    BOOST_TEST(town.call("/nowhere", "", Asked::as_authorizer, "OPTIONS").status == 404);
}

BOOST_AUTO_TEST_CASE(what_is_not_guarded_is_closed, *label("RS8") * label("RS11")) {
    Guarded town;
    const auto token = town.token_for("/mcp");
    for (const auto& [path, status] :
         {std::pair("/mcpx", 404), std::pair("/", 404), std::pair("/mcp/../mcp", 400),
          std::pair("//mcp", 400), std::pair("", 400)}) {
        BOOST_TEST_CONTEXT(path) BOOST_TEST(town.call(path, token).status == status);
    }
}

BOOST_AUTO_TEST_CASE(without_a_database_nothing_passes, *label("RS11")) {
    Guarded town(false);
    for (const auto asked : {Asked::as_authorizer, Asked::to_answer}) {
        const auto reply = town.call("/mcp", "cgs_" + std::string(43, 'A'), asked);
        BOOST_TEST(reply.status == 503);
        BOOST_TEST(header_of(reply, "Retry-After") == "2");
    }
    BOOST_TEST(!holds(town.server.log, "AAAA"));
}

BOOST_AUTO_TEST_CASE(
    a_connected_account_goes_to_the_server_behind_in_place_of_the_session_token,
    *label("RS7") * label("S11")) {
    Guarded town;
    town.server.store->services.put(sample_service("notion"));
    auto query = sample_authorize().with("resource", "https://tools.example.org/mcp/notion");
    town.journey->begin(query);
    town.journey->send("user-id", "&user_id=ada");
    const auto page = town.server.ask(town.journey->page("/oauth/consent/mcps")).body;
    BOOST_TEST(holds(page, "works with this account"));
    auto begin_upstream_authorization =
        town.journey->page("/api/oauth/per-user/upstream/authorize", "&mcp_client_id=notion");
    const auto begun_authorization = town.server.ask(begin_upstream_authorization);
    auto back = TestServer::get(
        "/api/oauth/callback/notion?code=c1&state=" +
        query_value(location_of(begun_authorization), "state"));
    back.cookie = town.journey->cookie;
    town.server.ask(back);
    BOOST_TEST(!holds(
        town.server.ask(town.journey->page("/oauth/consent/mcps")).body,
        "works with this account"));
    const auto answer = town.server.ask(TestServer::post(
        "/api/oauth/per-user/token", sample_exchange()
                                         .with("code", town.journey->finish())
                                         .with("resource", "https://tools.example.org/mcp/notion")
                                         .text()));
    const auto token = member_of(*json_of(answer.body), "access_token");
    const auto reply = town.call("/mcp/notion", token);
    BOOST_TEST(reply.status == 200);
    const auto handed = header_of(reply, "Variable-CONSENTGATE_AUTHORIZATION");
    BOOST_TEST(handed.starts_with("Bearer "));
    BOOST_TEST(handed.size() > 7U);
    BOOST_TEST(!holds(handed, token));
    BOOST_TEST(
        header_of(town.call("/mcp/notion", token, Asked::to_answer), "Consentgate-Authorization") ==
        handed);
    BOOST_TEST(!holds(town.server.log, handed.substr(7)));

    // An operator who switches the service off must switch it on again.
    auto off = *town.server.store->services.find(core::ServiceId("notion"));
    off.active = false;
    town.server.store->services.update(off);
    BOOST_TEST(town.call("/mcp/notion", token).status == 503);
}

BOOST_AUTO_TEST_CASE(
    who_has_not_connected_the_account_is_sent_to_sign_in_where_they_can,
    *label("S7") * label("C5")) {
    Guarded town;
    town.server.store->services.put(sample_service("notion"));
    const auto reply = town.call("/mcp/notion", town.token_for("/mcp/notion"));
    BOOST_TEST(reply.status == 401);
    BOOST_TEST(holds(challenge(reply), "error=\"invalid_token\""));
    BOOST_TEST(!holds(text_of(reply), "connect_uri"));
}

BOOST_AUTO_TEST_CASE(
    a_key_that_may_not_use_the_service_is_refused_without_a_challenge, *label("RS6")) {
    Guarded town;
    town.server.store->services.put(sample_service("notion"));
    auto key = sample_virtual_key();
    key.services = {"github"};
    town.server.store->virtual_keys.put(key);
    const auto reply =
        town.call("/mcp/notion", town.token_for("/mcp/notion", "mcp", "vk", "&vk=sk-bf-sample"));
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(challenge(reply) == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_in_the_log_with_its_reason_and_without_the_token) {
    Guarded town;
    town.call("/mcp", "cgs_secretsecret");
    BOOST_TEST(holds(town.server.log, "event=gate"));
    BOOST_TEST(holds(town.server.log, "error=invalid_bearer"));
    BOOST_TEST(!holds(town.server.log, "secretsecret"));
}

BOOST_AUTO_TEST_CASE(the_socket_of_the_pages_is_never_a_gate, *label("RS11")) {
    Guarded town;
    for (const auto* target :
         {"/healthz", "/.well-known/oauth-authorization-server", "/oauth/style.css", "/mcp"}) {
        auto request = TestServer::get(target);
        request.asked = Asked::as_authorizer;
        BOOST_TEST_CONTEXT(target) BOOST_TEST(town.server.ask(request).status == 500);
    }
}

// A database of before may hold several servers of one resource.
BOOST_AUTO_TEST_CASE(
    resources_that_were_added_stand_beside_the_configured_ones_and_the_newest_counts,
    *label("D8") * label("A18")) {
    TestServer server;
    server.store->services.put(sample_service("notion"));
    const auto add = [&](const std::string& url, const std::string& scope,
                         std::vector<std::string> services) {
        return usecase::add_resource_server(
            server.deps, {url, scopes(scope)}, std::move(services), noon);
    };
    BOOST_TEST(static_cast<bool>(add("https://tools.example.org/mcp", "profile", {})));
    BOOST_TEST(static_cast<bool>(add("https://tools.example.org/new", "", {"notion"})));
    auto newer = *usecase::find_resource_server(server.deps, "https://tools.example.org/new");
    newer.id = core::ResourceServerId("cgrs_newer");
    newer.created_at = noon + core::Span(1);
    newer.scope = scopes("mcp profile");
    newer.services.clear();
    server.store->resource_servers.put(newer);
    BOOST_TEST(!add("https://tools.example.org/x", "unknown", {}));
    BOOST_TEST(!add("http://tools.example.org/x", "", {}));
    auto all = usecase::guarded_resources(server.deps);
    BOOST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].scope.text() == "profile");
    BOOST_TEST(all[1].scope.text() == "mcp profile");
    BOOST_TEST(all[1].service.empty());
    server.store->resource_servers.disable(newer.id);
    all = usecase::guarded_resources(server.deps);
    BOOST_TEST(all[1].service == "notion");
}

BOOST_AUTO_TEST_CASE(
    of_resources_that_were_added_within_one_second_the_last_one_counts,
    *label("D8") * label("XA6")) {
    TestServer server;
    server.store->services.put(sample_service("notion"));
    for (int i = 0; i < 8; ++i) {
        const bool last = i % 2 == 1;
        const auto services =
            last ? std::vector<std::string>{"notion"} : std::vector<std::string>{};
        const core::GuardedResource resource{"https://tools.example.org/new", scopes("mcp")};
        const auto made = usecase::add_resource_server(server.deps, resource, services, noon);
        BOOST_REQUIRE(static_cast<bool>(made));
        const auto all = usecase::guarded_resources(server.deps);
        BOOST_TEST(all.back().service == (last ? "notion" : ""));
        BOOST_TEST(!usecase::add_resource_server(server.deps, resource, {}, noon));
        BOOST_TEST(
            static_cast<bool>(usecase::disable_resource_server(server.deps, made->server.id)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
