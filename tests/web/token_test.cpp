// Tests src/web/token.cpp and src/usecase/token.cpp: a code becomes a token once.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(token_endpoint)

BOOST_AUTO_TEST_CASE(
    a_code_gives_one_token_and_its_replay_ends_the_session,
    *label("T13") * label("T16") * label("T34") * label("K18") * label("XE4")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto code = journey.finish();
    const auto token = member_of(*json_of(server.ask(journey.exchange(code)).body), "access_token");
    BOOST_TEST(!server.store->sessions.find(core::sha256(token))->session.revoked_at);
    const auto wrong = server.ask(TestServer::post(
        "/api/oauth/per-user/token",
        sample_exchange().with("code", code).with("code_verifier", std::string(43, 'x')).text()));
    BOOST_TEST(error_of(wrong) == "invalid_grant");
    BOOST_TEST(!server.store->sessions.find(core::sha256(token))->session.revoked_at);
    for (const auto& [since, ended] : std::vector<std::pair<int, bool>>{{29, false}, {30, true}}) {
        auto request = journey.exchange(code);
        request.now += core::Span(since);
        const auto again = server.ask(request);
        BOOST_TEST(again.status == 400);
        BOOST_TEST(error_of(again) == "invalid_grant");
        BOOST_TEST(
            server.store->sessions.find(core::sha256(token))->session.revoked_at.has_value() ==
            ended);
        BOOST_TEST(holds(server.log, "what=code_repeated"));
        BOOST_TEST(holds(server.log, "what=token_replayed") == ended);
    }
}

BOOST_AUTO_TEST_CASE(
    refusals_before_the_code_leave_it_whole, *label("T6") * label("T12") * label("T18")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto code = journey.finish();
    auto basic = journey.exchange(code);
    basic.authorization = "Basic Y2djX3NhbXBsZTo=";
    const auto refused = server.ask(basic);
    BOOST_TEST(refused.status == 401);
    BOOST_TEST(error_of(refused) == "invalid_client");
    BOOST_TEST(header_of(refused, "WWW-Authenticate").starts_with("Basic "));
    for (const auto& [name, value, verdict] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"resource", "https://other.example", "invalid_target"},
             {"redirect_uri", "http://127.0.0.1:1/callback", "invalid_grant"},
             {"code_verifier", std::string(43, 'x'), "invalid_grant"},
             {"client_id", "cgc_unknown", "invalid_client"}}) {
        const auto reply = server.ask(TestServer::post(
            "/api/oauth/per-user/token",
            sample_exchange().with("code", code).with(name, value).text()));
        BOOST_TEST_CONTEXT(name) BOOST_TEST(error_of(reply) == verdict);
    }
    BOOST_TEST(server.ask(journey.exchange(code)).status == 200);
}

BOOST_AUTO_TEST_CASE(the_token_endpoint_reads_the_body_only_and_only_forms, *label("T1")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto query = sample_exchange().with("code", journey.finish()).text();
    BOOST_TEST(
        error_of(server.ask(TestServer::post("/api/oauth/per-user/token?" + query, ""))) ==
        "invalid_request");
    BOOST_TEST(
        server.ask(TestServer::post("/api/oauth/per-user/token", "{}", "application/json"))
            .status == 400);
    BOOST_TEST(
        error_of(server.ask(TestServer::post(
            "/api/oauth/per-user/token", "{}", "application/json"))) == "invalid_request");
    BOOST_TEST(server.ask(TestServer::get("/api/oauth/per-user/token?" + query)).status == 405);
    BOOST_TEST(server.ask(TestServer::post("/api/oauth/per-user/token", query)).status == 200);
}

BOOST_AUTO_TEST_CASE(
    an_unknown_or_disabled_client_can_see_that_it_must_register_again,
    *label("R18") * label("A3")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto code = journey.finish();
    server.store->clients.disable(core::ClientId("cgc_sample"));
    BOOST_TEST(error_of(server.ask(journey.exchange(code))) == "invalid_client");
    auto request = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    request.accept = browser_accept;
    const auto reply = server.ask(request);
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(location_of(reply) == "(absent)");
}

BOOST_AUTO_TEST_SUITE_END()
