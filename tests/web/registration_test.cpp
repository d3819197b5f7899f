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

BOOST_AUTO_TEST_CASE(registration_takes_json_only_and_can_be_off, *label("R1") * label("R13")) {
    const std::string body = R"({"redirect_uris":["http://127.0.0.1/cb"]})";
    TestServer server;
    for (const auto* type :
         {"application/json", "application/json; charset=utf-8", "APPLICATION/JSON"}) {
        BOOST_TEST_CONTEXT(type)
        BOOST_TEST(
            server.ask(TestServer::post("/api/oauth/per-user/register", body, type)).status == 201);
    }
    for (const auto* type : {form_type, "text/plain", "", "application/jsonx"}) {
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

BOOST_AUTO_TEST_SUITE_END()
