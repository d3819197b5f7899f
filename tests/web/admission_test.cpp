// Tests src/usecase/admission.cpp and src/core/oauth/admission.cpp at every door of the pages, the
// token endpoint and the gate. A case changes the policy between two requests, as a reload does.
#include "consentgate/web/gate.h"

#include "tests/support/scripted_service.h"
#include "tests/support/web_server.h"

#include "consentgate/core/upstream/token_exchange.h"
#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/resource_servers.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::IdentityKind;
using core::IdentityKinds;

namespace {

const IdentityKinds by_default = core::Policy().identities;

core::Policy closed_policy(IdentityKinds identities = by_default) {
    auto policy = sample_policy();
    policy.identities = identities;
    return policy;
}

void put_key(TestServer& server) { server.store->virtual_keys.put(sample_virtual_key()); }

std::string page_1(TestServer& server, const Journey& journey) {
    return server.ask(journey.page("/oauth/consent")).body;
}

// One person who signed in while anyone could, with an account connected; then every door at which
// their session can be used.
struct Inside {
    TestServer server;
    ScriptedService service;
    Journey journey;
    usecase::NewResourceServer resource_server;
    web::Gate gate{server.deps, core::ResourceMap(server.policy.resources)};
    std::string token, refresh_token;

    explicit Inside(const std::string& action = "skip", const std::string& more = "")
        : journey((server.deps.web = &service, server)) {
        auto client = sample_client();
        client.id = core::ClientId("cgc_refresher");
        client.refresh = true;
        server.store->clients.put(client);
        server.store->services.put(sample_service());
        resource_server = *usecase::add_resource_server(
            server.deps, {"https://tools.example.org/mcp"}, {"notion"}, noon);
        journey.begin(sample_authorize().with("client_id", "cgc_refresher"));
        journey.send(action, more);
        come_back(connect());
        const auto document = json_of(redeem(journey.finish()).body);
        token = member_of(*document, "access_token");
        refresh_token = member_of(*document, "refresh_token");
    }

    web::Reply get(const std::string& target) {
        auto request = TestServer::get(target);
        request.cookie = journey.cookie;
        request.accept = browser_accept;
        return server.ask(request);
    }
    web::Reply post(const std::string& path, const Parameters& form) {
        return server.ask(TestServer::post("/api/oauth/per-user/" + path, form.text()));
    }
    web::Reply connect() {
        return get(
            "/api/oauth/per-user/upstream/authorize?mcp_client_id=notion&flow_id=" + journey.flow);
    }
    web::Reply come_back(const web::Reply& begun) {
        return get(
            "/api/oauth/callback/notion?code=anna&state=" +
            query_value(location_of(begun), "state"));
    }
    web::Reply redeem(const std::string& code) {
        return post(
            "token", sample_exchange().with("client_id", "cgc_refresher").with("code", code));
    }

    std::string at_the_gate() {
        auto request = TestServer::request("POST", "/mcp");
        request.authorization = "Bearer " + token;
        request.asked = web::Asked::as_authorizer;
        const CapturedLog captured;
        const auto reply = web::decide(request, gate);
        server.log += captured.text();
        const auto challenge = header_of(reply, "WWW-Authenticate");
        return std::to_string(reply.status) +
               (holds(challenge, "error=\"invalid_token\"") ? " invalid_token" : "");
    }
    std::string at_refresh() {
        const auto reply = post(
            "token", {{"grant_type", "refresh_token"},
                      {"client_id", "cgc_refresher"},
                      {"refresh_token", refresh_token}});
        return reply.status == 200 ? "200" : error_of(reply);
    }
    std::string at_introspection() {
        const auto reply = post(
            "introspect", {{"token", token},
                           {"client_id", resource_server.server.id.text},
                           {"client_secret", resource_server.clear.reveal()}});
        return holds(reply.body, "\"active\":true") ? "active" : reply.body;
    }
    std::string at_exchange() {
        const auto reply = post(
            "token", {{"grant_type", core::token_exchange_grant},
                      {"subject_token", token},
                      {"subject_token_type", core::access_token_type},
                      {"audience", "notion"},
                      {"client_id", resource_server.server.id.text},
                      {"client_secret", resource_server.clear.reveal()}});
        return reply.status == 200 ? member_of(*json_of(reply.body), "access_token")
                                   : error_of(reply);
    }
    void reload(IdentityKinds identities) { server.policy.identities = identities; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(admission)

BOOST_AUTO_TEST_CASE(
    a_session_of_a_stranger_is_out_by_the_next_request_and_goes_on_when_allowed_again,
    *label("XA1")) {
    for (const auto& [action, more, kind] :
         {std::tuple{"skip", "", IdentityKind::skipped},
          std::tuple{"user-id", "&user_id=anna", IdentityKind::user_id}}) {
        BOOST_TEST_CONTEXT(action) {
            Inside person(action, more);
            BOOST_TEST(person.at_the_gate() == "200");
            BOOST_TEST(person.at_introspection() == "active");
            BOOST_TEST(person.at_exchange() == "access-anna");
            person.reload(by_default);
            BOOST_TEST(person.at_the_gate() == "401 invalid_token");
            BOOST_TEST(person.at_introspection() == "{\"active\":false}");
            BOOST_TEST(person.at_exchange() == "invalid_request");
            BOOST_TEST(person.at_refresh() == "invalid_grant");
            BOOST_TEST(holds(
                person.server.log,
                "identities does not let " + std::string(core::name_of(kind)) + " in"));
            const auto out = usecase::count_shut_out(person.server.deps, noon);
            BOOST_REQUIRE(out.size() == 1U);
            BOOST_TEST((out[0].kind == kind && out[0].sessions == 1U));
            person.reload(by_default.with(kind));
            BOOST_TEST(person.at_the_gate() == "200");
            BOOST_TEST(person.at_refresh() == "200");
            BOOST_TEST(usecase::count_shut_out(person.server.deps, noon).empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_person_sees_and_ends_a_session_that_is_refused, *label("XA1")) {
    Inside person;
    person.reload(by_default);
    const auto shown = person.get("/oauth/sessions").body;
    BOOST_TEST(holds(shown, "name=\"session_id\""));
    BOOST_TEST(holds(shown, "Notion"));
    auto end = TestServer::post("/oauth/sessions/end", "");
    end.cookie = person.journey.cookie;
    end.fetch_site = "same-origin";
    person.server.ask(end);
    person.reload(IdentityKinds::any());
    BOOST_TEST(person.at_the_gate() == "401 invalid_token");
}

BOOST_AUTO_TEST_CASE(a_code_of_a_stranger_gives_no_token_after_the_change, *label("XA1")) {
    Inside person;
    person.journey.begin(sample_authorize().with("client_id", "cgc_refresher"));
    person.journey.send("skip");
    const auto code = person.journey.finish();
    person.reload(by_default);
    BOOST_TEST(error_of(person.redeem(code)) == "invalid_grant");
    person.reload(IdentityKinds::any()); // nothing was spent
    BOOST_TEST(person.redeem(code).status == 200);
}

BOOST_AUTO_TEST_CASE(a_link_to_connect_is_refused_with_its_session, *label("XA1")) {
    Inside person;
    person.server.store->services.put(sample_service("github"));
    core::SessionView view = person.server.store->sessions.list(noon).front();
    const auto link = core::make_link(
        view.session.id, core::ServiceId("notion"), std::string(22, 'f'), person.server.keyring,
        noon);
    const auto target =
        "/api/oauth/per-user/upstream/authorize?mcp_client_id=notion&link=" + link.reveal();
    BOOST_TEST(person.get(target).status == 200);
    auto follow = TestServer::post(
        "/api/oauth/per-user/upstream/connect", "mcp_client_id=notion&link=" + link.reveal());
    follow.cookie = person.journey.cookie;
    follow.fetch_site = "same-origin";
    const auto begun = person.server.ask(follow);
    BOOST_TEST(begun.status == 302);
    person.reload(by_default);
    BOOST_TEST(person.get(target).status == 410);
    // Not even who was at the service when it changed.
    const auto back = person.come_back(begun);
    BOOST_TEST(back.status == 410);
    BOOST_TEST(person.service.redeemed.size() == 1U); // the first one's alone
}

BOOST_AUTO_TEST_CASE(a_flow_of_before_does_not_finish_as_a_stranger, *label("XA1")) {
    for (const auto& [action, more, error] :
         {std::tuple{"skip", "", "identity_required"},
          std::tuple{"user-id", "&user_id=anna", "identity_not_allowed"}}) {
        BOOST_TEST_CONTEXT(action) {
            TestServer server;
            put_key(server);
            server.store->services.put(sample_service());
            Journey journey(server);
            journey.begin();
            journey.send(action, more);
            server.policy.identities = by_default;
            const auto back = "/oauth/consent?flow_id=" + journey.flow + "&error=" + error;
            BOOST_TEST(location_of(journey.send("submit")) == back);
            BOOST_TEST(location_of(server.ask(journey.page("/oauth/consent/mcps"))) == back);
            BOOST_TEST(
                location_of(server.ask(journey.page(
                    "/api/oauth/per-user/upstream/authorize", "&mcp_client_id=notion"))) == back);
            BOOST_TEST(
                server.ask(journey.page("/oauth/consent", "&error=" + std::string(error))).status ==
                200);
            journey.send("vk", "&vk=sk-bf-sample"); // with the key they come in
            BOOST_TEST(!journey.finish().starts_with("("));
        }
    }
}

BOOST_AUTO_TEST_CASE(page_1_shows_the_allowed_ways_alone_and_each_form_asks_again, *label("XA1")) {
    const std::tuple<IdentityKind, std::string, std::string> ways[] = {
        {IdentityKind::virtual_key, "vk", "&vk=sk-bf-sample"},
        {IdentityKind::user_id, "user-id", "&user_id=anna"},
        {IdentityKind::skipped, "skip", ""}};
    for (const auto& [listed, listed_action, unused] : ways) {
        BOOST_TEST_CONTEXT("only " << core::name_of(listed)) {
            TestServer server(closed_policy({listed}));
            put_key(server);
            Journey journey(server);
            journey.begin();
            const auto page = page_1(server, journey);
            BOOST_TEST(holds(page, "<details name=\"way\" open>"));
            for (const auto& [kind, action, more] : ways) {
                BOOST_TEST_CONTEXT(action) {
                    BOOST_TEST(
                        holds(page, "/per-user/consent/" + action + "\"") == (kind == listed));
                    const auto reply = journey.send(action, more);
                    const auto location = location_of(reply);
                    if (kind == listed)
                        BOOST_TEST(location == "/oauth/consent/mcps?flow_id=" + journey.flow);
                    else
                        BOOST_TEST(
                            location == "/oauth/consent?flow_id=" + journey.flow + "&error=" +
                                            (kind == IdentityKind::skipped
                                                 ? "identity_required"
                                                 : "identity_not_allowed"));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_way_that_is_closed_tells_nothing_of_a_key, *label("XA1")) {
    TestServer server(closed_policy({IdentityKind::user_id}));
    put_key(server);
    Journey journey(server);
    journey.begin();
    const auto right = journey.send("vk", "&vk=sk-bf-sample");
    const auto wrong = journey.send("vk", "&vk=sk-bf-wrong");
    BOOST_TEST(location_of(right) == location_of(wrong));
    BOOST_TEST(holds(location_of(right), "identity_not_allowed"));
}

BOOST_AUTO_TEST_CASE(a_bearer_with_a_key_finishes_only_where_keys_come_in, *label("XA1")) {
    TestServer server(closed_policy());
    put_key(server);
    Journey journey(server);
    journey.begin();
    const auto with_key = [&] {
        auto request = journey.form("submit");
        request.authorization = "Bearer sk-bf-sample";
        return location_of(server.ask(request));
    };
    server.policy.identities = {IdentityKind::verified_user};
    BOOST_TEST(holds(with_key(), "error=identity_not_allowed"));
    server.policy.identities = by_default;
    BOOST_TEST(holds(with_key(), "code="));
}

BOOST_AUTO_TEST_CASE(an_admin_lets_no_stranger_in, *label("XA1")) {
    TestServer server(closed_policy());
    Journey journey(server);
    journey.begin();
    auto request = journey.form("submit");
    request.authorization =
        "Bearer " + sign(R"({"role":"admin","sub":"root","exp":)" + in_an_hour() + "}").reveal();
    request.cookie.reset();
    BOOST_TEST(holds(location_of(server.ask(request)), "error=identity_required"));
}

BOOST_AUTO_TEST_CASE(without_a_key_page_1_says_that_nobody_can_come_in, *label("XA1")) {
    TestServer server(closed_policy());
    Journey journey(server);
    journey.begin();
    const auto closed = page_1(server, journey);
    BOOST_TEST(holds(closed, "Nobody can sign in here yet"));
    BOOST_TEST(holds(closed, "consentgate-admin key add NAME"));
    BOOST_TEST(!holds(closed, "<details name=\"way\""));
    BOOST_TEST(holds(closed, "form=\"deny\"")); // the client still learns it
    for (const auto* word : {"identities", "virtual_key", "verified_user", "/etc"})
        BOOST_TEST(!holds(closed, word));
    auto key = sample_virtual_key();
    key.expires_at = noon;
    server.store->virtual_keys.put(key);
    BOOST_TEST(page_1(server, journey) == closed); // one that is over counts for nothing
    key = sample_virtual_key("sk-bf-other");
    key.id = core::VirtualKeyId("vk_other");
    server.store->virtual_keys.put(key);
    BOOST_TEST(!holds(page_1(server, journey), "Nobody can sign in"));
    server.store->virtual_keys.disable(key.id, noon);
    BOOST_TEST(page_1(server, journey) == closed);
}

BOOST_AUTO_TEST_CASE(a_verified_user_who_may_not_come_in_gets_no_page, *label("XA1")) {
    auto policy = closed_policy({IdentityKind::virtual_key});
    policy.verified_user = core::VerifiedUser::remote_user;
    TestServer server(policy);
    Journey journey(server);
    const auto authorize = [&] {
        auto request = TestServer::get(
            std::string("/api/oauth/per-user/authorize?") + sample_authorize().text());
        request.remote_user = "anna";
        request.accept = browser_accept;
        return server.ask(request);
    };
    BOOST_TEST(authorize().status == 403);
    server.policy.identities = by_default;
    const auto begun = authorize();
    BOOST_TEST(begun.status == 302);
    const auto cookie = header_of(begun, "Set-Cookie");
    server.policy.identities = {IdentityKind::virtual_key};
    auto page = TestServer::get(location_of(begun));
    page.cookie = cookie.substr(0, cookie.find(';'));
    page.remote_user = "anna";
    page.accept = browser_accept;
    auto last = server.ask(page);
    for (int steps = 0; last.status == 302 && steps < 5; ++steps) { // no two pages in a circle
        auto next = TestServer::get(location_of(last));
        next.cookie = page.cookie;
        next.remote_user = page.remote_user;
        next.accept = page.accept;
        last = server.ask(next);
    }
    BOOST_TEST(last.status == 403);
}

BOOST_AUTO_TEST_SUITE_END()
