#include "consentgate/web/router.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Route {
    const char* method;
    const char* path;
    bool cors;
    const char* too = ""; // another method that the address takes
};

const std::vector<Route> routes{
    {"GET", "/.well-known/oauth-protected-resource", true},
    {"GET", "/.well-known/oauth-protected-resource/mcp", true},
    {"GET", "/.well-known/oauth-authorization-server", true},
    {"POST", "/api/oauth/per-user/register", true},
    {"POST", "/api/oauth/per-user/token", true},
    {"GET", "/api/oauth/per-user/authorize", false, "POST"},
    {"GET", "/authorize", false, "POST"},
    {"POST", "/token", true},
    {"POST", "/register", true},
    {"GET", "/oauth/consent", false},
    {"GET", "/oauth/consent/mcps", false},
    {"GET", "/oauth/consent/done", false},
    {"GET", "/oauth/style.css", false},
    {"GET", "/oauth/icon.svg", false},
    {"GET", "/oauth/logo", false},
    {"POST", "/api/oauth/per-user/consent/vk", false},
    {"POST", "/api/oauth/per-user/consent/user-id", false},
    {"POST", "/api/oauth/per-user/consent/skip", false},
    {"POST", "/api/oauth/per-user/consent/submit", false},
    {"POST", "/api/oauth/per-user/consent/deny", false},
    {"GET", "/healthz", false},
    {"GET", "/readyz", false},
    {"GET", "/metrics", false}};

} // namespace

BOOST_AUTO_TEST_SUITE(router)

BOOST_AUTO_TEST_CASE(
    every_address_refuses_the_other_methods_and_says_which_it_takes, *label("A1") * label("T1")) {
    TestServer server;
    for (const auto& route : routes) {
        for (const auto* method :
             {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "", "GET POST"}) {
            if (std::string(method) == route.method || std::string(method) == route.too) continue;
            const auto reply = server.ask(TestServer::request(method, route.path));
            BOOST_TEST_CONTEXT(method << " " << route.path) {
                BOOST_TEST(reply.status == 405);
                BOOST_TEST(holds(header_of(reply, "Allow"), route.method));
                BOOST_TEST(holds(header_of(reply, "Allow"), route.too));
                BOOST_TEST(!reply.body.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(head_is_answered_like_get_but_starts_no_flow, *label("C14")) {
    TestServer server;
    server.store->clients.put(sample_client());
    for (const auto* path :
         {"/.well-known/oauth-authorization-server", "/healthz", "/oauth/style.css"}) {
        BOOST_TEST_CONTEXT(path)
        BOOST_TEST(server.ask(TestServer::request("HEAD", path)).status == 200);
    }
    for (const auto* path :
         {"/api/oauth/per-user/token", "/api/oauth/per-user/upstream/authorize",
          "/api/oauth/callback", "/token"}) {
        BOOST_TEST_CONTEXT(path)
        BOOST_TEST(server.ask(TestServer::request("HEAD", path)).status == 405);
    }
}

BOOST_AUTO_TEST_CASE(
    cors_is_where_browser_programs_come_and_nowhere_else,
    *label("A2") * label("D9") * label("D27") * label("R21") * label("T32")) {
    TestServer server;
    for (const auto& route : routes) {
        auto request = TestServer::request(route.method, route.path);
        request.origin = "https://app.example";
        const auto preflight = TestServer::request("OPTIONS", route.path);
        BOOST_TEST_CONTEXT(route.path) {
            BOOST_TEST(
                header_of(server.ask(request), "Access-Control-Allow-Origin") ==
                (route.cors ? "*" : "(absent)"));
            BOOST_TEST(server.ask(preflight).status == (route.cors ? 204 : 405));
            BOOST_TEST(
                header_of(server.ask(preflight), "Access-Control-Allow-Origin") ==
                (route.cors ? "*" : "(absent)"));
            BOOST_TEST(
                header_of(server.ask(preflight), "Access-Control-Allow-Credentials") == "(absent)");
        }
    }
    const auto preflight = server.ask(TestServer::request("OPTIONS", "/api/oauth/per-user/token"));
    BOOST_TEST(holds(header_of(preflight, "Access-Control-Allow-Headers"), "MCP-Protocol-Version"));
    BOOST_TEST(holds(header_of(preflight, "Access-Control-Allow-Methods"), "POST"));
    BOOST_TEST(preflight.body.empty());
}

BOOST_AUTO_TEST_CASE(without_a_logo_there_is_nothing_at_its_address, *label("D10")) {
    TestServer server;
    BOOST_TEST(server.ask(TestServer::get("/oauth/logo")).status == 404);
}

BOOST_AUTO_TEST_CASE(
    unknown_addresses_are_404_in_json_and_as_a_page_for_a_browser,
    *label("D10") * label("D13") * label("D14") * label("D26") * label("D28")) {
    TestServer server;
    for (const auto* path :
         {"/",
          "/nope",
          "/authorize/",
          "/token/x",
          "/Register",
          "/.well-known/openid-configuration",
          "/.well-known/oauth-protected-resource/nope",
          "/.well-known/oauth-protected-resource//",
          "/.well-known/oauth-protected-resourcex",
          "/.well-known/oauth-authorization-server/t1",
          "/.well-known/oauth-authorization-server//",
          "/api/oauth/per-user/token/",
          "/oauth/consent/",
          "/OAUTH/consent",
          "/oauth//consent",
          "/oauth/consent%2Fmcps",
          "/oauth/../healthz",
          "//healthz",
          "/healthz/x",
          "",
          "*",
          "\xff",
          "/\r\n"}) {
        const auto reply = server.ask(TestServer::get(path));
        BOOST_TEST_CONTEXT(path) {
            BOOST_TEST(reply.status == 404);
            BOOST_TEST(error_of(reply) == "not_found");
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
        }
    }
    auto browser = TestServer::get("/nope");
    browser.accept = browser_accept;
    const auto page = server.ask(browser);
    BOOST_TEST(page.status == 404);
    BOOST_TEST(holds(page.body, "There is no page here"));
}

BOOST_AUTO_TEST_CASE(
    a_query_of_16_kib_is_read_and_one_byte_more_is_414, *label("A34") * label("S14")) {
    TestServer server;
    server.store->clients.put(sample_client());
    const auto query = sample_authorize().text() + "&x=";
    const auto asked = [&](std::size_t size) {
        return server
            .ask(TestServer::get(
                "/api/oauth/per-user/authorize?" + query + std::string(size - query.size(), 'a')))
            .status;
    };
    BOOST_TEST(asked(8192) == 302);
    BOOST_TEST(asked(16 * 1024) == 302);
    BOOST_TEST(asked(16 * 1024 + 1) == 414);
}

BOOST_AUTO_TEST_CASE(
    a_body_too_large_is_413_a_cut_one_400_and_a_late_one_408_and_none_is_read,
    *label("R17") * label("S2") * label("S14")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    for (const auto* path :
         {"/api/oauth/per-user/register", "/api/oauth/per-user/token",
          "/api/oauth/per-user/consent/submit"}) {
        auto request = TestServer::post(path, "flow_id=" + journey.flow);
        request.cookie = journey.cookie;
        request.body_state = web::BodyState::too_large;
        BOOST_TEST_CONTEXT(path) {
            BOOST_TEST(server.ask(request).status == 413);
            request.body_state = web::BodyState::cut;
            BOOST_TEST(server.ask(request).status == 400);
            request.body_state = web::BodyState::late;
            BOOST_TEST(server.ask(request).status == 408);
        }
    }
    BOOST_TEST(journey.send("submit").status == 302);
}

BOOST_AUTO_TEST_CASE(a_form_of_64_kib_is_read_in_time, *label("S14")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    BOOST_TEST(web::body_limit == 65536U);
    BOOST_TEST(
        journey.send("submit", "&x=" + std::string(web::body_limit - 100, 'a')).status == 302);
}

BOOST_AUTO_TEST_CASE(bursts_have_to_wait_in_each_format, *label("R17") * label("T29")) {
    TestServer server(sample_policy(), {1, 1});
    server.store->clients.put(sample_client());
    const auto body = R"({"redirect_uris":["http://127.0.0.1/cb"]})";
    BOOST_TEST(
        server.ask(TestServer::post("/api/oauth/per-user/register", body, "application/json"))
            .status == 201);
    const auto refused =
        server.ask(TestServer::post("/api/oauth/per-user/register", body, "application/json"));
    BOOST_TEST(refused.status == 429);
    BOOST_TEST(header_of(refused, "Retry-After") == "60");
    BOOST_TEST(
        server.ask(TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text()))
            .status == 302);
    auto browser = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    browser.accept = browser_accept;
    const auto page = server.ask(browser);
    BOOST_TEST(page.status == 429);
    BOOST_TEST(holds(page.body, "A little too fast"));
}

BOOST_AUTO_TEST_CASE(
    authorize_sets_the_cookie_once_and_leads_to_a_relative_address, *label("S6") * label("A31")) {
    TestServer server;
    server.store->clients.put(sample_client());
    const auto first =
        server.ask(TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text()));
    BOOST_TEST(first.status == 302);
    BOOST_TEST(location_of(first).starts_with("/oauth/consent?flow_id="));
    BOOST_TEST(query_value(location_of(first), "flow_id").size() == 22U);
    BOOST_TEST(header_of(first, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(first, "Referrer-Policy") == "no-referrer");
    const auto set = header_of(first, "Set-Cookie");
    BOOST_TEST(set.starts_with("__Host-consentgate_browser="));
    auto again = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    again.cookie = set.substr(0, set.find(';'));
    BOOST_TEST(header_of(server.ask(again), "Set-Cookie") == "(absent)");
    again.cookie = "__Host-consentgate_browser=malformed";
    BOOST_TEST(header_of(server.ask(again), "Set-Cookie") != "(absent)");
}

BOOST_AUTO_TEST_CASE(
    authorize_errors_reach_the_client_only_when_they_may,
    *label("A11") * label("A13") * label("A22") * label("A23") * label("A26")) {
    TestServer server;
    Journey journey(server, {"http://127.0.0.1/callback", "https://c.example/cb"});
    const auto asked = [&](const Parameters& query) {
        return server.ask(TestServer::get("/api/oauth/per-user/authorize?" + query.text()));
    };
    const auto local = asked(sample_authorize().with("scope", "bo\"gus"));
    BOOST_TEST(local.status == 302);
    BOOST_TEST(query_value(location_of(local), "error") == "invalid_scope");
    BOOST_TEST(query_value(location_of(local), "state") == "a state");
    BOOST_TEST(query_value(location_of(local), "iss") == "https://auth.example.org");
    const auto repeated = asked(sample_authorize().also("scope", "profile"));
    BOOST_TEST(query_value(location_of(repeated), "error") == "invalid_request");
    BOOST_TEST(query_value(location_of(repeated), "state") == "a state");
    const auto far = asked(
        sample_authorize().with("scope", "bo\"gus").with("redirect_uri", "https://c.example/cb"));
    BOOST_TEST(far.status == 400);
    BOOST_TEST(location_of(far) == "(absent)");
    BOOST_TEST(holds(far.body, "https://c.example/cb?error=invalid_scope"));
    const auto nowhere = asked(sample_authorize().with("redirect_uri", "https://evil.test/cb"));
    BOOST_TEST(nowhere.status == 400);
    BOOST_TEST(location_of(nowhere) == "(absent)");
    BOOST_TEST(!holds(nowhere.body, "href=\"https://evil.test"));
}

BOOST_AUTO_TEST_CASE(
    every_request_is_one_line_of_log_with_its_event_id, *label("S5") * label("K47")) {
    TestServer server;
    auto request = TestServer::get("/nope");
    request.method = "GET\nevent=forged";
    server.ask(request);
    BOOST_TEST(std::count(server.log.begin(), server.log.end(), '\n') == 1);
    BOOST_TEST(holds(server.log, "event=request"));
    BOOST_TEST(holds(server.log, "id=" + request.event_id));
}

BOOST_AUTO_TEST_CASE(a_method_that_http_does_not_define_is_not_logged, *label("K47")) {
    TestServer server;
    const auto logged = [&](const std::string& method) {
        auto request = TestServer::get("/nope");
        request.method = method;
        server.log.clear();
        server.ask(request);
        const auto begin = server.log.find("method=") + 7;
        return server.log.substr(begin, server.log.find(' ', begin) - begin);
    };
    for (const auto* method : {"secret-of-somebody", "get", "GET secret", ""})
        BOOST_TEST(logged(method) == "other");
    BOOST_TEST(logged("DELETE") == "DELETE");
}

BOOST_AUTO_TEST_SUITE_END()
