// src/web/gate.cpp and src/web/http.cpp before each kind of web server: how names and targets are
// spelt there, and how much of an answer it takes.
#include "consentgate/web/gate.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using web::Asked;

namespace {

core::Policy guarded_policy() {
    auto policy = sample_policy();
    policy.resources = {core::GuardedResource{"https://tools.example.org/mcp"}};
    return policy;
}

struct Front {
    TestServer server{guarded_policy(), {0, 0}, true};
    web::Gate gate{server.deps, core::ResourceMap(server.policy.resources)};
    std::string token;

    Front() {
        Journey journey(server);
        journey.begin(sample_authorize().with("resource", "https://tools.example.org/mcp"));
        journey.send("skip", "");
        const auto answer = server.ask(TestServer::post(
            "/api/oauth/per-user/token", sample_exchange()
                                             .with("code", journey.finish())
                                             .with("resource", "https://tools.example.org/mcp")
                                             .text()));
        token = member_of(*json_of(answer.body), "access_token");
    }

    web::Request call(const std::string& target) const {
        auto request = TestServer::request("POST", target);
        request.asked = Asked::as_authorizer;
        request.authorization = "Bearer " + token;
        return request;
    }
    web::Reply ask(const web::Request& request) {
        const CapturedLog captured;
        auto reply = web::decide(request, gate);
        server.log += captured.text();
        return reply;
    }
};

std::size_t longest_line(const web::Reply& reply) {
    std::size_t longest = 0;
    for (const auto& [name, value] : reply.headers)
        longest = std::max(longest, name.size() + value.size() + 4);
    return longest;
}

std::string path_in(std::string_view target) { return std::string(web::origin_form(target)); }

} // namespace

BOOST_AUTO_TEST_SUITE(gate_front)

BOOST_AUTO_TEST_CASE(
    a_second_token_in_the_address_is_seen_however_it_is_spelt, *label("XB4") * label("C9")) {
    Front front;
    BOOST_TEST(front.ask(front.call("/mcp")).status == 200);
    for (const auto* query :
         {"access_token=x", "access%5Ftoken=x", "%61ccess_token=x", "a=b&access%5ftoken",
          "a;access_token=x", "access.token=x", "access+token=x", "access%5Btoken=x",
          "Access_Token=x", "+access_token=x", "%20access_token=x", "access_token"})
        BOOST_TEST_CONTEXT(query)
    BOOST_TEST(front.ask(front.call(std::string("/mcp?") + query)).status == 400);
    for (const auto* query :
         {"", "my_access_token=x", "a=access_token", "access_tokens=x", "%zz=access_token", "&&=;"})
        BOOST_TEST_CONTEXT(query)
    BOOST_TEST(front.ask(front.call(std::string("/mcp?") + query)).status == 200);
}

BOOST_AUTO_TEST_CASE(
    an_absolute_target_is_the_path_that_it_names_and_an_odd_one_names_nothing, *label("XB7")) {
    BOOST_TEST(path_in("/mcp?x=http://a/b") == "/mcp?x=http://a/b");
    BOOST_TEST(path_in("http://tools.example.org/mcp?x=y") == "/mcp?x=y");
    BOOST_TEST(path_in("HTTPS://[::1]:8443/mcp/x") == "/mcp/x");
    BOOST_TEST(path_in("http://tools.example.org") == "/");
    BOOST_TEST(path_in("http://a//mcp") == "//mcp");
    for (const auto* odd :
         {"http:///mcp", "http://a#/mcp", "http://a\\/mcp", "http://u@a/mcp", "http://a?/mcp",
          "ftp://a/mcp", "x/mcp", "*", "", "//a/mcp", "http:/mcp", "://a/mcp", "http://a b/mcp"})
        BOOST_TEST_CONTEXT(odd) BOOST_TEST(path_in(odd) == odd);
}

BOOST_AUTO_TEST_CASE(
    an_answer_that_the_web_server_would_not_take_is_503_without_a_token, *label("XB5")) {
    Front front;
    auto request = front.call("/mcp");
    const auto longest = longest_line(front.ask(request));
    request.limits = {longest, 5000};
    BOOST_TEST(front.ask(request).status == 200);
    request.limits.line = longest - 1;
    const auto refused = front.ask(request);
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(header_of(refused, "Retry-After") == "3600");
    for (const auto& [name, value] : refused.headers)
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!name.starts_with("Variable-"));
    BOOST_TEST(holds(front.server.log, "CONSENTGATE_LINE_LIMIT"));
    request.limits = {5000, longest + 100};
    BOOST_TEST(front.ask(request).status == 503);
}

BOOST_AUTO_TEST_CASE(
    the_shipped_file_says_how_long_a_line_may_be_and_otherwise_it_is_the_web_servers_own,
    *label("XB5")) {
    BOOST_TEST(web::answer_limits(Asked::to_answer, false, "").line == 3900U);
    BOOST_TEST(web::answer_limits(Asked::to_answer, false, "").head == 3900U);
    BOOST_TEST(web::answer_limits(Asked::as_authorizer, true, "").line == 8100U);
    BOOST_TEST(web::answer_limits(Asked::as_authorizer, true, "").head == 60000U);
    BOOST_TEST(web::answer_limits(Asked::as_authorizer, false, "").line == 60000U);
    BOOST_TEST(web::answer_limits(Asked::to_answer, false, "64000").head == 64000U);
    for (const auto* odd : {"-1", "0", "x", "64k"}) BOOST_TEST_CONTEXT(odd)
    BOOST_TEST(web::answer_limits(Asked::as_authorizer, true, odd).line == 8100U);
}

BOOST_AUTO_TEST_CASE(
    names_that_only_a_lax_web_server_passes_on_are_noticed_and_refused, *label("XB2")) {
    for (const auto* lax :
         {"HTTP_CONSENTGATE.USER", "HTTP_CONSENTGATE!DOCTOR", "HTTP_CONSENTGATE_DOCTOR",
          "HTTP_CONSENTGATE~"})
        BOOST_TEST_CONTEXT(lax) BOOST_TEST(web::shows_lax_names(lax));
    for (const auto* usual :
         {"HTTP_CONSENTGATE_USER", "HTTP_CONSENTGATE", "HTTP_CONSENTGATEX", "CONSENTGATE_USER",
          "HTTP_HOST", ""})
        BOOST_TEST_CONTEXT(usual) BOOST_TEST(!web::shows_lax_names(usual));
    Front front;
    auto request = front.call("/mcp");
    request.lax_names = true;
    BOOST_TEST(front.ask(request).status == 400);
    request.asked = Asked::to_answer;
    const auto refused = front.ask(request);
    BOOST_TEST(refused.status == 403);
    BOOST_TEST(header_of(refused, "Consentgate-Status") == "400");
    BOOST_TEST(holds(header_of(refused, "WWW-Authenticate"), std::string(web::lax_names_message)));
}

BOOST_AUTO_TEST_SUITE_END()
