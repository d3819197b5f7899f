// src/web/gate.cpp and src/usecase/assertions.cpp: the assertion of a call, the keys that verify
// it, and names that only the gate may set.
#include "tests/support/guarded.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using web::Asked;

namespace {

core::Policy policy_with(core::AssertionPlace place) {
    auto policy = guarded_policy();
    policy.resources.front().facts.assertion = place;
    return policy;
}

core::JsonObject claims_of(const std::string& assertion) {
    return *core::parse_json_object(
        *core::from_base64(core::split(assertion, '.').at(1), core::Base64::url));
}

} // namespace

BOOST_AUTO_TEST_SUITE(gate_facts)

BOOST_AUTO_TEST_CASE(
    an_assertion_stands_where_the_operator_wants_it_and_the_same_one_comes_again,
    *label("SI75") * label("SI77")) {
    Guarded off;
    const auto none = off.call("/mcp", off.token_for("/mcp"));
    BOOST_TEST(none.status == 200);
    BOOST_TEST(header_of(none, "Variable-CONSENTGATE_ASSERTION") == "(absent)");
    BOOST_TEST(header_of(none, "Variable-CONSENTGATE_AUTHORIZATION") == "(absent)");
    Guarded header(true, policy_with(core::AssertionPlace::header));
    const auto token = header.token_for("/mcp");
    const auto made = header_of(header.call("/mcp", token), "Variable-CONSENTGATE_ASSERTION");
    const auto claims = claims_of(made);
    BOOST_TEST(claims.text("iss").value() == "https://auth.example.org");
    BOOST_TEST(claims.text("aud").value() == "https://tools.example.org/mcp");
    BOOST_TEST(claims.text("scope").value() == "mcp");
    BOOST_TEST(claims.text("identity").value() == "skipped");
    BOOST_TEST(claims.integer("exp").value() == core::epoch(noon) + 300);
    BOOST_TEST(
        header_of(header.call("/mcp", token, Asked::to_answer), "Consentgate-Assertion") == made);
    BOOST_TEST(
        header_of(header.call("/mcp", token), "Variable-CONSENTGATE_AUTHORIZATION") == "(absent)");
    // It opens nothing here.
    BOOST_TEST(header.call("/mcp", made).status == 401);
    Guarded bearer(true, policy_with(core::AssertionPlace::bearer));
    const auto reply = bearer.call("/mcp", bearer.token_for("/mcp"));
    const auto value = header_of(reply, "Variable-CONSENTGATE_AUTHORIZATION");
    BOOST_REQUIRE(value.starts_with("Bearer "));
    BOOST_TEST(claims_of(value).text("identity").value() == "skipped");
    BOOST_TEST(header_of(reply, "Variable-CONSENTGATE_ASSERTION") == "(absent)");
}

BOOST_AUTO_TEST_CASE(every_program_may_read_the_public_key_of_each_server_key, *label("SI76")) {
    TestServer server;
    const auto reply = server.ask(TestServer::get("/oauth/jwks.json"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
    BOOST_TEST(header_of(reply, "Cache-Control") == "public, max-age=300");
    BOOST_TEST(header_of(reply, "Access-Control-Allow-Origin") == "*");
    BOOST_TEST(json_of(reply.body)->array("keys")->size() == server.keyring.keys().size());
    BOOST_TEST(!holds(reply.body, "\"d\""));
    const auto metadata = server.ask(TestServer::get("/.well-known/oauth-authorization-server"));
    BOOST_TEST(
        member_of(*json_of(metadata.body), "jwks_uri") ==
        "https://auth.example.org/oauth/jwks.json");
}

BOOST_AUTO_TEST_CASE(
    a_caller_who_brings_a_new_fact_is_refused_and_old_names_pass, *label("SI78") * label("SA14")) {
    for (const auto* ours :
         {"HTTP_CONSENTGATE_EMAIL", "HTTP_CONSENTGATE_GROUPS", "HTTP_CONSENTGATE_GROUPS_OMITTED",
          "HTTP_CONSENTGATE_PROVIDER", "HTTP_CONSENTGATE_ASSERTION"})
        BOOST_TEST_CONTEXT(ours) BOOST_TEST(web::claims_new_fact(ours));
    for (const auto* other :
         {"HTTP_CONSENTGATE_USER", "HTTP_CONSENTGATE", "CONSENTGATE_EMAIL", "HTTP_EMAIL",
          "HTTP_CONSENTGATE_EMAILS", "HTTP_CONSENTGATE_GROUPS_"})
        BOOST_TEST_CONTEXT(other) BOOST_TEST(!web::claims_new_fact(other));
    Guarded guarded;
    auto request = TestServer::request("POST", "/mcp");
    request.authorization = "Bearer " + guarded.token_for("/mcp");
    BOOST_TEST(guarded.ask(request).status == 200);
    request.claims_facts = true;
    BOOST_TEST(guarded.ask(request).status == 400);
    const auto nginx = guarded.ask(request, Asked::to_answer);
    BOOST_TEST(nginx.status == 403);
    BOOST_TEST(header_of(nginx, "Consentgate-Status") == "400");
}

BOOST_AUTO_TEST_CASE(
    a_web_server_that_would_show_an_assertion_to_clients_gets_none, *label("SI78")) {
    BOOST_TEST(web::shows_variable("ACCESS_CHECKER", ""));
    BOOST_TEST(!web::shows_variable("ACCESS_CHECKER", "1"));
    BOOST_TEST(!web::shows_variable("", ""));
    Guarded guarded(true, policy_with(core::AssertionPlace::header));
    auto request = TestServer::request("POST", "/mcp");
    request.authorization = "Bearer " + guarded.token_for("/mcp");
    request.shows_facts = true;
    const auto refused = guarded.ask(request);
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(!holds(text_of(refused), "eyJ"));
    BOOST_TEST(holds(guarded.server.log, "CONSENTGATE_HIDES_FACTS"));
    request.shows_facts = false;
    BOOST_TEST(guarded.ask(request).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
