// Tests src/web/wellknown.cpp and src/web/register.cpp: how a client finds the server and
// registers.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(registration)

BOOST_AUTO_TEST_CASE(
    the_documents_are_where_and_what_the_issuer_says, *label("D1") * label("D2") * label("D3") *
                                                          label("D5") * label("D12") *
                                                          label("D27") * label("D29")) {
    TestServer server;
    const auto document =
        server.ask(TestServer::get("/.well-known/oauth-authorization-server?x=1"));
    BOOST_TEST(document.status == 200);
    BOOST_TEST(header_of(document, "Content-Type") == "application/json");
    BOOST_TEST(header_of(document, "Cache-Control") == "public, max-age=300");
    BOOST_TEST(header_of(document, "Set-Cookie") == "(absent)");
    BOOST_TEST(member_of(*json_of(document.body), "issuer") == "https://auth.example.org");
    const auto resource = server.ask(TestServer::get("/.well-known/oauth-protected-resource/mcp"));
    BOOST_TEST(member_of(*json_of(resource.body), "resource") == "https://tools.example.org/mcp");
    BOOST_TEST(
        server.ask(TestServer::get("/.well-known/oauth-protected-resource")).body == resource.body);
}

BOOST_AUTO_TEST_CASE(with_several_resources_the_root_speaks_for_none, *label("D3")) {
    auto policy = sample_policy();
    policy.resources = {
        core::GuardedResource{"https://tools.example.org/a"},
        core::GuardedResource{"https://tools.example.org/a/b"}};
    TestServer server(policy);
    BOOST_TEST(server.ask(TestServer::get("/.well-known/oauth-protected-resource")).status == 404);
    for (const auto* path : {"/a", "/a/b"}) {
        const auto reply = server.ask(
            TestServer::get(std::string("/.well-known/oauth-protected-resource") + path));
        BOOST_TEST(
            member_of(*json_of(reply.body), "resource") ==
            std::string("https://tools.example.org") + path);
    }
}

BOOST_AUTO_TEST_CASE(
    an_issuer_with_a_path_is_found_at_the_inserted_address_only, *label("D12") * label("D14")) {
    auto policy = sample_policy();
    policy.issuer = "https://auth.example.org/t1";
    TestServer server(policy);
    BOOST_TEST(
        server.ask(TestServer::get("/.well-known/oauth-authorization-server/t1")).status == 200);
    BOOST_TEST(
        server.ask(TestServer::get("/.well-known/oauth-authorization-server")).status == 404);
}

BOOST_AUTO_TEST_CASE(a_document_is_found_with_a_slash_behind_its_address, *label("XE6")) {
    auto policy = sample_policy();
    policy.issuer = "https://auth.example.org/t1";
    policy.resources = {
        core::GuardedResource{"https://tools.example.org/a"},
        core::GuardedResource{"https://tools.example.org/b"},
        core::GuardedResource{"https://tools.example.org/b/"}};
    TestServer server(policy);
    const auto at = [&](const std::string& path) {
        return server.ask(TestServer::get("/.well-known/oauth-" + path));
    };
    BOOST_TEST(at("authorization-server/t1/").body == at("authorization-server/t1").body);
    for (const auto& [path, resource] :
         {std::pair("a", "/a"), std::pair("a/", "/a"), std::pair("b", "/b"),
          std::pair("b/", "/b/")}) {
        const auto reply = at(std::string("protected-resource/") + path);
        BOOST_TEST_CONTEXT(path)
        BOOST_TEST(
            member_of(*json_of(reply.body), "resource") ==
            std::string("https://tools.example.org") + resource);
    }
    for (const auto* path :
         {"authorization-server", "authorization-server/", "authorization-server/t1//",
          "authorization-server/t1/x", "protected-resource/", "protected-resource/a//",
          "protected-resource//a", "protected-resource/c/", "protected-resource/a/b/"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(at(path).status == 404);
    TestServer one;
    BOOST_TEST(
        one.ask(TestServer::get("/.well-known/oauth-protected-resource/")).body ==
        one.ask(TestServer::get("/.well-known/oauth-protected-resource")).body);
}

BOOST_AUTO_TEST_CASE(registration_takes_json_only_and_can_be_off, *label("R1") * label("R13")) {
    const std::string body = R"({"redirect_uris":["http://127.0.0.1/cb"]})";
    TestServer server;
    for (const auto* type :
         {"application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
          "application/json, application/json"}) {
        BOOST_TEST_CONTEXT(type)
        BOOST_TEST(
            server.ask(TestServer::post("/api/oauth/per-user/register", body, type)).status == 201);
    }
    for (const auto* type :
         {form_type, "text/plain", "", "application/jsonx", "text/plain, text/html"}) {
        const auto reply = server.ask(TestServer::post("/api/oauth/per-user/register", body, type));
        BOOST_TEST_CONTEXT(type) {
            BOOST_TEST(reply.status == 400);
            BOOST_TEST(error_of(reply) == "invalid_client_metadata");
        }
    }
    auto policy = sample_policy();
    policy.registration_enabled = false;
    TestServer closed(policy);
    BOOST_TEST(
        closed.ask(TestServer::post("/api/oauth/per-user/register", body, "application/json"))
            .status == 404);
    Journey journey(closed);
    BOOST_TEST(journey.begin().size() == 22U); // a client that an operator made still works
}

BOOST_AUTO_TEST_CASE(minted_client_ids_are_no_urls_and_never_repeat, *label("R5") * label("K31")) {
    TestServer server;
    std::vector<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const auto reply = server.ask(TestServer::post(
            "/api/oauth/per-user/register",
            R"({"redirect_uris":["http://127.0.0.1/cb"],"client_id":"https://evil.test/"})",
            "application/json"));
        seen.push_back(member_of(*json_of(reply.body), "client_id"));
        BOOST_TEST(seen.back().starts_with("cgc_"));
    }
    std::sort(seen.begin(), seen.end());
    BOOST_TEST((std::unique(seen.begin(), seen.end()) == seen.end()));
}

BOOST_AUTO_TEST_CASE(
    a_caller_with_too_many_unused_clients_has_to_come_back_later, *label("XD2") * label("XD3")) {
    auto policy = sample_policy();
    policy.max_unused_clients = 2;
    TestServer server(policy);
    const auto registering = [&](const std::string& address, int after = 0) {
        auto request = TestServer::post(
            "/api/oauth/per-user/register", R"({"redirect_uris":["http://127.0.0.1/cb"]})",
            "application/json");
        request.remote_addr = address;
        request.now = noon + core::Span(after);
        return server.ask(request);
    };
    BOOST_TEST(registering("2001:db8::1").status == 201);
    BOOST_TEST(registering("2001:db8::2").status == 201);
    const auto refused = registering("2001:db8::3");
    BOOST_TEST(refused.status == 429);
    BOOST_TEST(error_of(refused) == "temporarily_unavailable");
    BOOST_TEST(header_of(refused, "Retry-After") == "600");
    BOOST_TEST(registering("2001:db8:0:1::1").status == 201);
    BOOST_TEST(registering("::ffff:192.0.2.9").status == 201);
    BOOST_TEST(registering("2001:db8::3", 3600).status == 201);
    for (const auto& client : server.store->clients.list())
        BOOST_TEST(!holds(client.registered_from, "2001"));
}

BOOST_AUTO_TEST_CASE(a_registration_beyond_four_kib_is_refused, *label("XD2")) {
    TestServer server;
    const auto reply = server.ask(TestServer::post(
        "/api/oauth/per-user/register",
        R"({"redirect_uris":["http://127.0.0.1/cb"],"contacts":[")" + std::string(4100, 'c') +
            "\"]}",
        "application/json"));
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(error_of(reply) == "invalid_client_metadata");
    BOOST_TEST(server.store->clients.list().empty());
}

BOOST_AUTO_TEST_CASE(where_apps_may_lead_is_asked_at_each_sign_in, *label("XD7")) {
    TestServer server;
    Journey journey(server, {"https://evil.example/cb"});
    const auto asking = sample_authorize().with("redirect_uri", "https://evil.example/cb");
    BOOST_TEST(journey.begin(asking).size() == 22U);
    server.policy.redirects.hosts = {"app.example"};
    auto request = TestServer::get(std::string("/api/oauth/per-user/authorize?") + asking.text());
    request.accept = browser_accept;
    const auto reply = server.ask(request);
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(location_of(reply) == "(absent)");
}

BOOST_AUTO_TEST_SUITE_END()
