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
};

const std::vector<Route> routes{
    {"GET", "/.well-known/oauth-protected-resource", true},
    {"GET", "/.well-known/oauth-protected-resource/mcp", true},
    {"GET", "/.well-known/oauth-authorization-server", true},
    {"POST", "/api/oauth/per-user/register", true},
    {"POST", "/api/oauth/per-user/token", true},
    {"GET", "/api/oauth/per-user/authorize", false},
    {"GET", "/oauth/consent", false},
    {"GET", "/oauth/consent/mcps", false},
    {"GET", "/oauth/style.css", false},
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
    TestServer house;
    for (const auto& route : routes) {
        for (const auto* method :
             {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "", "GET POST"}) {
            if (std::string(method) == route.method) continue;
            const auto reply = house.ask(TestServer::request(method, route.path));
            BOOST_TEST_CONTEXT(method << " " << route.path) {
                BOOST_TEST(reply.status == 405);
                BOOST_TEST(holds(header_of(reply, "Allow"), route.method));
                BOOST_TEST(!reply.body.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(head_is_answered_like_get_but_starts_no_flow, *label("C14")) {
    TestServer house;
    house.store->put_client(sample_client());
    for (const auto* path :
         {"/.well-known/oauth-authorization-server", "/healthz", "/oauth/style.css"}) {
        BOOST_TEST_CONTEXT(path)
        BOOST_TEST(house.ask(TestServer::request("HEAD", path)).status == 200);
    }
    BOOST_TEST(
        house
            .ask(TestServer::request(
                "HEAD", "/api/oauth/per-user/authorize?" + sample_authorize().text()))
            .status == 405);
    BOOST_TEST(house.ask(TestServer::request("HEAD", "/api/oauth/per-user/token")).status == 405);
}

BOOST_AUTO_TEST_CASE(
    cors_is_where_browser_programs_come_and_nowhere_else,
    *label("A2") * label("D9") * label("D27") * label("R21") * label("T32")) {
    TestServer house;
    for (const auto& route : routes) {
        auto request = TestServer::request(route.method, route.path);
        request.origin = "https://app.example";
        const auto preflight = TestServer::request("OPTIONS", route.path);
        BOOST_TEST_CONTEXT(route.path) {
            BOOST_TEST(
                header_of(house.ask(request), "Access-Control-Allow-Origin") ==
                (route.cors ? "*" : "(absent)"));
            BOOST_TEST(house.ask(preflight).status == (route.cors ? 204 : 405));
            BOOST_TEST(
                header_of(house.ask(preflight), "Access-Control-Allow-Origin") ==
                (route.cors ? "*" : "(absent)"));
            BOOST_TEST(
                header_of(house.ask(preflight), "Access-Control-Allow-Credentials") == "(absent)");
        }
    }
    const auto preflight = house.ask(TestServer::request("OPTIONS", "/api/oauth/per-user/token"));
    BOOST_TEST(holds(header_of(preflight, "Access-Control-Allow-Headers"), "MCP-Protocol-Version"));
    BOOST_TEST(holds(header_of(preflight, "Access-Control-Allow-Methods"), "POST"));
    BOOST_TEST(preflight.body.empty());
}

BOOST_AUTO_TEST_CASE(without_a_logo_there_is_nothing_at_its_address, *label("D10")) {
    TestServer house;
    BOOST_TEST(house.ask(TestServer::get("/oauth/logo")).status == 404);
}

BOOST_AUTO_TEST_CASE(
    unknown_addresses_are_404_in_json_and_as_a_page_for_a_browser,
    *label("D10") * label("D13") * label("D14") * label("D26") * label("D28")) {
    TestServer house;
    for (const auto* path :
         {"/",
          "/nope",
          "/authorize",
          "/token",
          "/register",
          "/.well-known/openid-configuration",
          "/.well-known/oauth-protected-resource/nope",
          "/.well-known/oauth-protected-resource/",
          "/.well-known/oauth-protected-resourcex",
          "/.well-known/oauth-authorization-server/t1",
          "/.well-known/oauth-authorization-server/",
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
        const auto reply = house.ask(TestServer::get(path));
        BOOST_TEST_CONTEXT(path) {
            BOOST_TEST(reply.status == 404);
            BOOST_TEST(error_of(reply) == "not_found");
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
        }
    }
    auto browser = TestServer::get("/nope");
    browser.accept = browser_accept;
    const auto page = house.ask(browser);
    BOOST_TEST(page.status == 404);
    BOOST_TEST(holds(page.body, "There is no page here"));
}

BOOST_AUTO_TEST_CASE(
    a_query_of_16_kib_is_read_and_one_byte_more_is_414, *label("A34") * label("S14")) {
    TestServer house;
    house.store->put_client(sample_client());
    const auto query = sample_authorize().text() + "&x=";
    const auto asked = [&](std::size_t size) {
        return house
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
    TestServer house;
    Journey walk(house);
    walk.begin();
    for (const auto* path :
         {"/api/oauth/per-user/register", "/api/oauth/per-user/token",
          "/api/oauth/per-user/consent/submit"}) {
        auto request = TestServer::post(path, "flow_id=" + walk.flow);
        request.cookie = walk.cookie;
        request.body_state = web::BodyState::too_large;
        BOOST_TEST_CONTEXT(path) {
            BOOST_TEST(house.ask(request).status == 413);
            request.body_state = web::BodyState::cut;
            BOOST_TEST(house.ask(request).status == 400);
            request.body_state = web::BodyState::late;
            BOOST_TEST(house.ask(request).status == 408);
        }
    }
    BOOST_TEST(walk.send("submit").status == 302);
}

BOOST_AUTO_TEST_CASE(a_form_of_64_kib_is_read_in_time, *label("S14")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    BOOST_TEST(web::body_limit == 65536U);
    BOOST_TEST(walk.send("submit", "&x=" + std::string(web::body_limit - 100, 'a')).status == 302);
}

BOOST_AUTO_TEST_CASE(
    the_documents_are_where_and_what_the_issuer_says, *label("D1") * label("D2") * label("D3") *
                                                          label("D5") * label("D12") *
                                                          label("D27") * label("D29")) {
    TestServer house;
    const auto server = house.ask(TestServer::get("/.well-known/oauth-authorization-server?x=1"));
    BOOST_TEST(server.status == 200);
    BOOST_TEST(header_of(server, "Content-Type") == "application/json");
    BOOST_TEST(header_of(server, "Cache-Control") == "public, max-age=300");
    BOOST_TEST(header_of(server, "Set-Cookie") == "(absent)");
    BOOST_TEST(member_of(*json_of(server.body), "issuer") == "https://auth.example.org");
    const auto resource = house.ask(TestServer::get("/.well-known/oauth-protected-resource/mcp"));
    BOOST_TEST(member_of(*json_of(resource.body), "resource") == "https://tools.example.org/mcp");
    BOOST_TEST(
        house.ask(TestServer::get("/.well-known/oauth-protected-resource")).body == resource.body);
}

BOOST_AUTO_TEST_CASE(with_several_resources_the_root_speaks_for_none, *label("D3")) {
    auto policy = sample_policy();
    policy.resources = {
        core::GuardedResource{"https://tools.example.org/a"},
        core::GuardedResource{"https://tools.example.org/a/b"}};
    TestServer house(policy);
    BOOST_TEST(house.ask(TestServer::get("/.well-known/oauth-protected-resource")).status == 404);
    for (const auto* path : {"/a", "/a/b"}) {
        const auto reply =
            house.ask(TestServer::get(std::string("/.well-known/oauth-protected-resource") + path));
        BOOST_TEST(
            member_of(*json_of(reply.body), "resource") ==
            std::string("https://tools.example.org") + path);
    }
}

BOOST_AUTO_TEST_CASE(
    an_issuer_with_a_path_is_found_at_the_inserted_address_only, *label("D12") * label("D14")) {
    auto policy = sample_policy();
    policy.issuer = "https://auth.example.org/t1";
    TestServer house(policy);
    BOOST_TEST(
        house.ask(TestServer::get("/.well-known/oauth-authorization-server/t1")).status == 200);
    BOOST_TEST(house.ask(TestServer::get("/.well-known/oauth-authorization-server")).status == 404);
}

BOOST_AUTO_TEST_CASE(registration_takes_json_only_and_can_be_off, *label("R1") * label("R13")) {
    const std::string body = R"({"redirect_uris":["http://127.0.0.1/cb"]})";
    TestServer house;
    for (const auto* type :
         {"application/json", "application/json; charset=utf-8", "APPLICATION/JSON"}) {
        BOOST_TEST_CONTEXT(type)
        BOOST_TEST(
            house.ask(TestServer::post("/api/oauth/per-user/register", body, type)).status == 201);
    }
    for (const auto* type : {form_type, "text/plain", "", "application/jsonx"}) {
        const auto reply = house.ask(TestServer::post("/api/oauth/per-user/register", body, type));
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
    Journey walk(closed);
    BOOST_TEST(walk.begin().size() == 22U); // a client that an operator made still works
}

BOOST_AUTO_TEST_CASE(minted_client_ids_are_no_urls_and_never_repeat, *label("R5") * label("K31")) {
    TestServer house;
    std::vector<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const auto reply = house.ask(TestServer::post(
            "/api/oauth/per-user/register",
            R"({"redirect_uris":["http://127.0.0.1/cb"],"client_id":"https://evil.test/"})",
            "application/json"));
        seen.push_back(member_of(*json_of(reply.body), "client_id"));
        BOOST_TEST(seen.back().starts_with("cgc_"));
    }
    std::sort(seen.begin(), seen.end());
    BOOST_TEST((std::unique(seen.begin(), seen.end()) == seen.end()));
}

BOOST_AUTO_TEST_CASE(bursts_are_told_to_wait_in_each_face, *label("R17") * label("T29")) {
    TestServer house(sample_policy(), {1, 1});
    house.store->put_client(sample_client());
    const auto body = R"({"redirect_uris":["http://127.0.0.1/cb"]})";
    BOOST_TEST(
        house.ask(TestServer::post("/api/oauth/per-user/register", body, "application/json"))
            .status == 201);
    const auto refused =
        house.ask(TestServer::post("/api/oauth/per-user/register", body, "application/json"));
    BOOST_TEST(refused.status == 429);
    BOOST_TEST(header_of(refused, "Retry-After") == "60");
    BOOST_TEST(
        house.ask(TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text()))
            .status == 302);
    auto browser = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    browser.accept = browser_accept;
    const auto page = house.ask(browser);
    BOOST_TEST(page.status == 429);
    BOOST_TEST(holds(page.body, "A little too fast"));
}

BOOST_AUTO_TEST_CASE(
    authorize_sets_the_cookie_once_and_leads_to_a_relative_address, *label("S6") * label("A31")) {
    TestServer house;
    house.store->put_client(sample_client());
    const auto first =
        house.ask(TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text()));
    BOOST_TEST(first.status == 302);
    BOOST_TEST(location_of(first).starts_with("/oauth/consent?flow_id="));
    BOOST_TEST(query_value(location_of(first), "flow_id").size() == 22U);
    BOOST_TEST(header_of(first, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(first, "Referrer-Policy") == "no-referrer");
    const auto set = header_of(first, "Set-Cookie");
    BOOST_TEST(set.starts_with("__Host-consentgate_browser="));
    auto again = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    again.cookie = set.substr(0, set.find(';'));
    BOOST_TEST(header_of(house.ask(again), "Set-Cookie") == "(absent)");
    again.cookie = "__Host-consentgate_browser=malformed";
    BOOST_TEST(header_of(house.ask(again), "Set-Cookie") != "(absent)");
}

BOOST_AUTO_TEST_CASE(
    authorize_errors_reach_the_client_only_when_they_may,
    *label("A11") * label("A13") * label("A22") * label("A23") * label("A26")) {
    TestServer house;
    Journey walk(house, {"http://127.0.0.1/callback", "https://c.example/cb"});
    const auto asked = [&](const Parameters& query) {
        return house.ask(TestServer::get("/api/oauth/per-user/authorize?" + query.text()));
    };
    const auto local = asked(sample_authorize().with("scope", "bogus"));
    BOOST_TEST(local.status == 302);
    BOOST_TEST(query_value(location_of(local), "error") == "invalid_scope");
    BOOST_TEST(query_value(location_of(local), "state") == "a state");
    BOOST_TEST(query_value(location_of(local), "iss") == "https://auth.example.org");
    const auto repeated = asked(sample_authorize().also("scope", "profile"));
    BOOST_TEST(query_value(location_of(repeated), "error") == "invalid_request");
    BOOST_TEST(query_value(location_of(repeated), "state") == "a state");
    const auto far = asked(
        sample_authorize().with("scope", "bogus").with("redirect_uri", "https://c.example/cb"));
    BOOST_TEST(far.status == 400);
    BOOST_TEST(location_of(far) == "(absent)");
    BOOST_TEST(holds(far.body, "https://c.example/cb?error=invalid_scope"));
    const auto nowhere = asked(sample_authorize().with("redirect_uri", "https://evil.test/cb"));
    BOOST_TEST(nowhere.status == 400);
    BOOST_TEST(location_of(nowhere) == "(absent)");
    BOOST_TEST(!holds(nowhere.body, "href=\"https://evil.test"));
}

BOOST_AUTO_TEST_CASE(readiness_says_that_the_store_answers_and_writes_nothing, *label("O6")) {
    TestServer house;
    const auto reply = house.ask(TestServer::get("/readyz"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(
        reply.body == "{\"status\":\"ok\",\"schema_version\":" +
                          std::to_string(store::expected_schema_version()) + "}");
    BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
}

BOOST_AUTO_TEST_CASE(life_is_told_without_the_store_and_readiness_is_not, *label("O6")) {
    TestServer house(sample_policy(), {0, 0}, false);
    BOOST_TEST(house.ask(TestServer::get("/healthz")).status == 200);
    BOOST_TEST(house.ask(TestServer::get("/readyz")).status == 503);
}

BOOST_AUTO_TEST_CASE(nothing_is_counted_or_told_unless_the_operator_asked_for_it, *label("O7")) {
    TestServer house;
    BOOST_TEST(house.ask(TestServer::get("/metrics")).status == 404);
}

BOOST_AUTO_TEST_CASE(
    metrics_tell_every_request_by_route_and_status_and_nothing_a_client_chose, *label("O7")) {
    TestServer house;
    const TempFolder folder;
    sys::Metrics metrics(folder.file("metrics"));
    house.deps.metrics = &metrics;
    house.ask(TestServer::get("/readyz"));
    house.ask(TestServer::get("/readyz"));
    house.ask(TestServer::request("DELETE", "/readyz"));
    house.ask(TestServer::get("/made-up-by-a-client"));
    const auto reply = house.ask(TestServer::get("/metrics"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"readyz\",status=\"200\"} 2\n"));
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"readyz\",status=\"405\"} 1\n"));
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"none\",status=\"404\"} 1\n"));
    BOOST_TEST(holds(reply.body, "\nconsentgate_request_seconds_count{route=\"readyz\"} 3\n"));
    BOOST_TEST(!holds(reply.body, "made-up"));
}

BOOST_AUTO_TEST_CASE(
    every_request_is_one_line_of_log_with_its_event_id, *label("S5") * label("K47")) {
    TestServer house;
    auto request = TestServer::get("/nope");
    request.method = "GET\nevent=forged";
    house.ask(request);
    BOOST_TEST(std::count(house.log.begin(), house.log.end(), '\n') == 1);
    BOOST_TEST(holds(house.log, "event=request"));
    BOOST_TEST(holds(house.log, "id=" + request.event_id));
}

BOOST_AUTO_TEST_SUITE_END()
