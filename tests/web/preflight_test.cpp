#include "consentgate/web/preflight.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(preflight)

BOOST_AUTO_TEST_CASE(
    it_names_the_headers_that_were_asked_for_unless_one_of_them_cannot_be_named,
    *label("XE6") * label("N3")) {
    TestServer server;
    const auto at_ours = [&](const web::Request& request) { return server.ask(request); };
    const auto at_an_mcp_server = [](const web::Request& request) {
        return web::answer_mcp_preflight(request);
    };
    const auto check = [](const std::string& ours, const auto& answer) {
        const auto named = [&](const std::optional<std::string>& asked) {
            auto request = TestServer::request("OPTIONS", "/api/oauth/per-user/token");
            request.asked_headers = asked;
            const auto reply = answer(request);
            BOOST_TEST(reply.status == 204);
            return header_of(reply, "Access-Control-Allow-Headers");
        };
        BOOST_TEST(named(std::nullopt) == ours);
        BOOST_TEST(named("") == ours);
        BOOST_TEST(named("mcp-param-region") == ours + ", mcp-param-region");
        BOOST_TEST(named("authorization,x-b3, dpop") == ours + ", authorization, x-b3, dpop");
        BOOST_TEST(named(std::string(1000, 'x')) == ours + ", " + std::string(1000, 'x'));
        for (const std::string& bad :
             {std::string("x\"y"), std::string(1001, 'x'), std::string("a,x y"), std::string("X-A"),
              std::string("a_b"), std::string("a,*"), std::string("a\r\nb"), std::string("\u00E9")})
            BOOST_TEST_CONTEXT(bad) BOOST_TEST(named(bad) == ours);
    };
    check("Content-Type, Authorization, MCP-Protocol-Version", at_ours);
    check(
        "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, "
        "Last-Event-ID",
        at_an_mcp_server);
}

BOOST_AUTO_TEST_SUITE_END()
