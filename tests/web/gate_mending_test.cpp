// src/web/gate.cpp gives the web server a challenge and a call's id with a yes, for the day on
// which the service refuses.
// spec: docs/requirements.md M1, M7, P32
#include "tests/support/guarded.h"

#include "consentgate/core/upstream/account_doubt.h"
#include "consentgate/usecase/call_reports.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using web::Asked;

namespace {

// A person who connected their account in the sign-in.
struct Connected : Guarded {
    std::string token;

    Connected() {
        server.store->services.put(sample_service("notion"));
        journey->begin(sample_authorize().with("resource", "https://tools.example.org/mcp/notion"));
        journey->send("skip", "");
        const auto away = server.ask(
            journey->page("/api/oauth/per-user/upstream/authorize", "&mcp_client_id=notion"));
        auto back = TestServer::get(
            "/api/oauth/callback/notion?code=c1&state=" + query_value(location_of(away), "state"));
        back.cookie = journey->cookie;
        server.ask(back);
        const auto answer = server.ask(TestServer::post(
            "/api/oauth/per-user/token",
            sample_exchange()
                .with("code", journey->finish())
                .with("resource", "https://tools.example.org/mcp/notion")
                .text()));
        token = member_of(*json_of(answer.body), "access_token");
    }

    void tell_refused(const std::string& call) {
        usecase::note_call_report(
            server.deps, R"({"call":")" + call + R"(","status":"401","challenge":"Bearer"})", noon);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(gate_mending)

BOOST_AUTO_TEST_CASE(
    a_yes_with_an_account_carries_our_challenge_and_the_id_of_the_call,
    *label("M1") * label("P32")) {
    Connected town;
    const auto variables = town.call("/mcp/notion", town.token);
    const auto again = header_of(variables, "Variable-CONSENTGATE_AGAIN");
    BOOST_TEST(again.starts_with("Bearer resource_metadata=\"https://tools.example.org/"));
    BOOST_TEST(holds(again, "/mcp/notion\", scope=\"mcp\", error=\"invalid_token\""));
    BOOST_TEST(!holds(again, "|"));
    const auto call = header_of(variables, "Variable-CONSENTGATE_CALL");
    BOOST_TEST(core::read_call_id(call, town.server.deps.keyring).has_value());
    const auto headers = town.call("/mcp/notion", town.token, Asked::to_answer);
    BOOST_TEST(header_of(headers, "Consentgate-Again") == again);
    BOOST_TEST(header_of(headers, "Consentgate-Call") == call);
    BOOST_TEST(header_of(headers, "WWW-Authenticate") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_yes_without_an_account_leaves_every_challenge_alone, *label("M1")) {
    Guarded town;
    const auto reply = town.call("/mcp", town.token_for("/mcp"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(!holds(text_of(reply), "_AGAIN"));
    BOOST_TEST(!holds(text_of(reply), "_CALL"));
}

BOOST_AUTO_TEST_CASE(
    after_many_refusals_a_call_is_refused_with_words_and_no_challenge, *label("M7")) {
    Connected town;
    for (int refused = 0; refused < 4; ++refused) {
        const auto reply = town.call("/mcp/notion", town.token);
        BOOST_TEST(reply.status == 200);
        town.tell_refused(header_of(reply, "Variable-CONSENTGATE_CALL"));
    }
    const auto reply = town.call("/mcp/notion", town.token);
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(challenge(reply) == "(absent)");
    BOOST_TEST(holds(reply.body, "refuses this person's account"));
}

BOOST_AUTO_TEST_SUITE_END()
