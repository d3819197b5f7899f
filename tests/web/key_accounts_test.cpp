// Plain API keys in src/web/upstream.cpp and src/web/gate.cpp: a person pastes one on our page, it
// is tried once, and handed out.
#include "tests/support/guarded.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/upstream/token_exchange.h"
#include "consentgate/usecase/introspection.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string right_key = "sk-live-4711";
constexpr const char* key_form = "/api/oauth/per-user/upstream/key";

// A service that knows one key.
class KeyedService final : public sys::HttpClient {
public:
    int status = 200; // to the right key; 0: no answer
    std::string header = "X-API-Key";
    std::vector<std::string> tried;
    std::vector<std::string> methods;

    sys::HttpResponse send(const sys::HttpRequest& request) override {
        sys::HttpResponse answer;
        std::string key;
        for (const auto& [name, value] : request.headers)
            if (name == header) key = value;
        tried.push_back(key);
        methods.push_back(request.method + " " + request.url);
        if (status == 0) return answer;
        answer.answered = true;
        answer.status = key == right_key || key == "Bearer " + right_key ? status : 401;
        return answer;
    }
};

core::Service keyed_service(const std::string& id, const std::string& header = "X-API-Key") {
    auto keyed = sample_service(id);
    keyed.key_header = header;
    keyed.token_endpoint = keyed.authorization_endpoint = keyed.url;
    keyed.revocation_endpoint.clear();
    keyed.client_id = "key";
    return keyed;
}

struct Town {
    TestServer server;
    KeyedService service;
    Journey journey;

    Town() : journey((server.deps.web = &service, server)) {
        auto keyed = keyed_service("search");
        keyed.name = "Search";
        server.store->services.put(keyed);
        server.store->services.put(sample_service("notion"));
        journey.begin();
        journey.send("skip");
    }

    web::Request get(const std::string& target) const {
        auto request = TestServer::get(target);
        request.cookie = journey.cookie;
        request.accept = browser_accept;
        return request;
    }
    // The path and query of the page to which Connect leads.
    std::string key_page(const std::string& id = "search") {
        const auto begun = server.ask(
            get("/api/oauth/per-user/upstream/authorize?mcp_client_id=" + id +
                "&flow_id=" + journey.flow));
        return location_of(begun).substr(core::origin_of(server.policy.issuer).size());
    }
    web::Reply paste(const std::string& state, const std::string& key) {
        auto request =
            TestServer::post(key_form, Parameters({{"state", state}, {"key", key}}).text());
        request.cookie = journey.cookie;
        request.origin = server.policy.origin();
        request.fetch_site = "same-origin";
        return server.ask(request);
    }
    std::string services_page() { return server.ask(journey.page("/oauth/consent/mcps")).body; }
};

std::string state_of(const std::string& address) { return query_value(address, "state"); }

} // namespace

BOOST_AUTO_TEST_SUITE(key_accounts, *label("XC9"))

BOOST_AUTO_TEST_CASE(connect_leads_to_our_own_page_and_a_right_key_connects) {
    Town town;
    const auto address = town.key_page();
    BOOST_TEST(address.starts_with("/oauth/consent/key?state="));
    const auto page = town.server.ask(town.get(address));
    BOOST_TEST(page.status == 200);
    BOOST_TEST(holds(page.body, "type=\"password\""));
    BOOST_TEST(holds(page.body, "Search"));
    BOOST_TEST(holds(header_of(page, "Content-Security-Policy"), "form-action 'self'"));
    BOOST_TEST(town.service.tried.empty(), "nothing is asked before a key is there");
    const auto back = town.paste(state_of(address), " " + right_key + " ");
    BOOST_TEST(back.status == 302);
    BOOST_TEST(
        location_of(back) ==
        "/oauth/consent/mcps?flow_id=" + town.journey.flow + "#service-search");
    BOOST_TEST(town.service.tried == std::vector{right_key}, "once");
    BOOST_TEST(town.service.methods == std::vector<std::string>{"POST https://search.example/mcp"});
    BOOST_TEST(holds(town.services_page(), "class=\"connected\""));
    BOOST_TEST(!holds(town.server.log, right_key), "no key is in the log");
    // The state is used up.
    BOOST_TEST(town.paste(state_of(address), right_key).status == 400);
    BOOST_TEST(town.service.tried.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_key_is_refused_and_the_person_types_again) {
    Town town;
    const auto address = town.key_page();
    const auto refused = town.paste(state_of(address), "wrong");
    BOOST_TEST(location_of(refused) == address + "&error=service_refused");
    const auto page = town.server.ask(town.get(location_of(refused)));
    BOOST_TEST(holds(page.body, "does not take this key"));
    BOOST_TEST(holds(page.body, "aria-invalid=\"true\""));
    BOOST_TEST(!holds(page.body, "wrong"));
    BOOST_TEST(!holds(town.services_page(), "class=\"connected\""));
    town.service.status = 500;
    const auto failed = town.paste(state_of(address), right_key);
    BOOST_TEST(location_of(failed) == address + "&error=service_failed");
    BOOST_TEST(holds(town.server.ask(town.get(location_of(failed))).body, "could not be tried"));
    town.service.status = 0;
    BOOST_TEST(
        location_of(town.paste(state_of(address), right_key)) == address + "&error=service_failed");
    town.service.status = 200;
    BOOST_TEST(town.paste(state_of(address), right_key).status == 302);
    BOOST_TEST(holds(town.services_page(), "class=\"connected\""));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_key_is_sent_nowhere) {
    Town town;
    const auto address = town.key_page();
    for (const auto& typed :
         {std::string(), std::string("a b"), right_key + "\r\nX-Evil: 1", std::string(5000, 'k')}) {
        BOOST_TEST(
            location_of(town.paste(state_of(address), typed)) ==
            address + "&error=service_refused");
    }
    BOOST_TEST(town.service.tried.empty());
}

BOOST_AUTO_TEST_CASE(the_page_and_its_form_are_of_one_browser_and_of_our_own_pages) {
    Town town;
    const auto address = town.key_page();
    auto elsewhere = town.get(address);
    elsewhere.cookie =
        town.journey.cookie.substr(0, town.journey.cookie.find('=') + 1) + std::string(43, 'x');
    BOOST_TEST(town.server.ask(elsewhere).status == 403);
    auto foreign = TestServer::post(
        key_form, Parameters({{"state", state_of(address)}, {"key", right_key}}).text());
    foreign.cookie = town.journey.cookie;
    foreign.origin = "https://evil.example";
    BOOST_TEST(town.server.ask(foreign).status == 403);
    BOOST_TEST(town.paste(std::string(43, 'A'), right_key).status == 400);
    BOOST_TEST(town.server.ask(town.get("/oauth/consent/key")).status == 400);
    BOOST_TEST(town.service.tried.empty());
}

BOOST_AUTO_TEST_CASE(a_state_is_good_for_its_kind_of_service_alone) {
    Town town;
    // A code at the callback of a service with keys.
    const auto keyed = state_of(town.key_page());
    const auto back = town.server.ask(town.get("/api/oauth/callback/search?code=x&state=" + keyed));
    BOOST_TEST(back.status == 400);
    // A key for a service with OAuth.
    const auto begun = town.server.ask(town.get(
        "/api/oauth/per-user/upstream/authorize?mcp_client_id=notion&flow_id=" +
        town.journey.flow));
    BOOST_TEST(town.paste(query_value(location_of(begun), "state"), right_key).status == 400);
    BOOST_TEST(town.service.tried.empty());
}

BOOST_AUTO_TEST_CASE(a_key_is_exchanged_as_what_it_is) {
    Town town;
    const auto resource_server = *usecase::add_resource_server(
        town.server.deps, {"https://tools.example.org/mcp"}, {"search"}, noon);
    town.paste(state_of(town.key_page()), right_key);
    const auto session = member_of(
        *json_of(town.server.ask(town.journey.exchange(town.journey.finish())).body),
        "access_token");
    const auto reply = town.server.ask(TestServer::post(
        "/api/oauth/per-user/token", Parameters({{"grant_type", core::token_exchange_grant},
                                                 {"subject_token", session},
                                                 {"subject_token_type", core::access_token_type},
                                                 {"audience", "search"},
                                                 {"client_id", resource_server.server.id.text},
                                                 {"client_secret", resource_server.clear.reveal()}})
                                         .text()));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(member_of(*json_of(reply.body), "access_token") == right_key);
    BOOST_TEST(member_of(*json_of(reply.body), "token_type") == "N_A");
}

BOOST_AUTO_TEST_CASE(the_gate_gives_a_key_by_a_name_of_its_own_and_never_as_a_token) {
    for (const std::string header : {"X-API-Key", "Authorization"}) {
        Guarded town;
        KeyedService service;
        service.header = header;
        town.server.deps.web = &service;
        town.server.store->services.put(keyed_service("notion", header));
        auto& journey = *town.journey;
        const auto resource = "https://tools.example.org/mcp/notion";
        journey.begin(sample_authorize().with("resource", resource));
        journey.send("skip");
        const auto begun = location_of(town.server.ask(
            journey.page("/api/oauth/per-user/upstream/authorize", "&mcp_client_id=notion")));
        auto pasted = TestServer::post(
            key_form, Parameters({{"state", state_of(begun)}, {"key", right_key}}).text());
        pasted.cookie = journey.cookie;
        pasted.origin = town.server.policy.origin();
        BOOST_TEST(town.server.ask(pasted).status == 302);
        const auto token = member_of(
            *json_of(town.server
                         .ask(TestServer::post(
                             "/api/oauth/per-user/token", sample_exchange()
                                                              .with("code", journey.finish())
                                                              .with("resource", resource)
                                                              .text()))
                         .body),
            "access_token");
        const auto variables = town.call("/mcp/notion", token);
        const auto headers = town.call("/mcp/notion", token, web::Asked::to_answer);
        const bool as_token = header == "Authorization";
        const auto absent = std::string("(absent)");
        BOOST_TEST_CONTEXT(header) {
            BOOST_TEST(
                header_of(variables, "Variable-CONSENTGATE_KEY") ==
                (as_token ? absent : right_key));
            BOOST_TEST(
                header_of(variables, "Variable-CONSENTGATE_KEY_HEADER") ==
                (as_token ? absent : header));
            BOOST_TEST(
                header_of(variables, "Variable-CONSENTGATE_AUTHORIZATION") ==
                (as_token ? "Bearer " + right_key : absent));
            BOOST_TEST(header_of(headers, "Consentgate-Key") == (as_token ? absent : right_key));
            BOOST_TEST(
                header_of(headers, "Consentgate-Authorization") ==
                (as_token ? "Bearer " + right_key : absent));
        }
        // Where an old .htaccess would show it to the client, the call does not pass.
        auto shown = TestServer::request("POST", "/mcp/notion");
        shown.authorization = "Bearer " + token;
        shown.shows_key = true;
        const auto refused = town.ask(shown);
        BOOST_TEST(refused.status == (as_token ? 200 : 503));
        if (!as_token) BOOST_TEST(!holds(text_of(refused), right_key));
    }
}

BOOST_AUTO_TEST_CASE(only_a_file_that_says_so_hides_a_key) {
    BOOST_TEST(web::shows_variable("ACCESS_CHECKER", ""));
    BOOST_TEST(web::shows_variable("ACCESS_CHECKER", "0"));
    BOOST_TEST(!web::shows_variable("ACCESS_CHECKER", "1"));
    BOOST_TEST(!web::shows_variable("AUTHENTICATOR", ""));
    BOOST_TEST(!web::shows_variable("", ""));
}

BOOST_AUTO_TEST_SUITE_END()
