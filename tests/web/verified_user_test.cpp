// Tests src/web/context.cpp through the router: people whom the web server has signed in.
#include "tests/support/scripted_service.h"
#include "tests/support/web_server.h"

#include "consentgate/core/upstream/upstream.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

core::Policy signed_in() {
    auto policy = sample_policy();
    policy.verified_user = core::VerifiedUser::remote_user;
    return policy;
}

using Name = std::optional<std::string>;

// One browser, in which several people may be signed in one after another.
struct Office {
    TestServer server{signed_in()};
    ScriptedService service;
    Journey journey;

    Office() : journey((server.deps.web = &service, server)) {
        server.store->services.put(sample_service());
    }

    web::Reply ask(const Name& name, web::Request request) {
        request.remote_user = name;
        if (!journey.cookie.empty()) request.cookie = journey.cookie;
        return server.ask(request);
    }
    web::Reply begin(
        const Name& name, const Parameters& query = sample_authorize(),
        const std::optional<std::string>& fetch_site = std::nullopt) {
        auto request = TestServer::get("/api/oauth/per-user/authorize?" + query.text());
        request.fetch_site = fetch_site;
        const auto reply = ask(name, request);
        if (const auto set = header_of(reply, "Set-Cookie"); set != "(absent)")
            journey.cookie = set.substr(0, set.find(';'));
        if (reply.status == 302) journey.flow = query_value(location_of(reply), "flow_id");
        return reply;
    }
    web::Reply get(const Name& name, const std::string& target) {
        auto request = TestServer::get(target);
        request.accept = browser_accept;
        return ask(name, request);
    }
    web::Reply services(const Name& name) {
        return get(name, "/oauth/consent/mcps?flow_id=" + journey.flow);
    }
    web::Reply send(const Name& name, const std::string& action, const std::string& more = "") {
        return ask(name, journey.form(action, more));
    }
    web::Reply begin_upstream_authorization(const Name& name) {
        return get(
            name,
            "/api/oauth/per-user/upstream/authorize?mcp_client_id=notion&flow_id=" + journey.flow);
    }
    web::Reply come_back(
        const Name& name, const web::Reply& begun_authorization, const std::string& code) {
        return get(
            name, "/api/oauth/callback/notion?state=" +
                      query_value(location_of(begun_authorization), "state") + "&code=" + code);
    }
    web::Reply post(const Name& name, const std::string& path, const std::string& body) {
        auto request = TestServer::post(path, body);
        request.origin = "null";
        request.fetch_site = "same-origin";
        return ask(name, request);
    }
    std::vector<core::SessionView> sessions() { return server.store->sessions.list(noon); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(verified_users)

BOOST_AUTO_TEST_CASE(who_is_signed_in_is_not_asked_and_the_session_is_theirs, *label("S8")) {
    Office office;
    const auto begun = office.begin("anna");
    BOOST_TEST(location_of(begun) == "/oauth/consent/mcps?flow_id=" + office.journey.flow);
    BOOST_TEST(
        location_of(office.get("anna", "/oauth/consent?flow_id=" + office.journey.flow)) ==
        "/oauth/consent/mcps?flow_id=" + office.journey.flow);
    const auto page = office.services("anna");
    BOOST_TEST(holds(page.body, "<bdi>anna</bdi>"));
    BOOST_TEST(holds(page.body, "Signed in"));
    BOOST_TEST(!holds(page.body, "/oauth/consent?flow_id="));
    const auto finished = office.send("anna", "submit");
    BOOST_TEST(finished.status == 302);
    BOOST_REQUIRE(office.sessions().size() == 1U);
    BOOST_TEST(
        (office.sessions()[0].session.identity ==
         core::Identity{core::IdentityKind::verified_user, "anna"}));
    // Programs have no such name, and need none.
    BOOST_TEST(
        office.server.ask(office.journey.exchange(query_value(location_of(finished), "code")))
            .status == 200);
    BOOST_TEST(
        office.server.ask(TestServer::get("/.well-known/oauth-authorization-server")).status ==
        200);
    BOOST_TEST(office.server.ask(TestServer::get("/oauth/client-metadata.json")).status == 200);
}

BOOST_AUTO_TEST_CASE(
    nobody_else_goes_on_with_it_and_its_owner_still_can, *label("K51") * label("S8")) {
    Office office;
    office.begin("anna");
    for (const auto& [other, code] :
         {std::pair<Name, const char*>{"ben", "another_user"},
          {std::nullopt, "verified_user_missing"},
          {"", "verified_user_missing"},
          {" anna", "invalid_verified_user"}}) {
        for (const auto* action : {"submit", "deny", "skip"}) {
            const auto reply = office.send(other, action);
            BOOST_TEST(reply.status == 403);
            BOOST_TEST(error_of(reply) == code);
        }
        BOOST_TEST(office.send(other, "user-id", "&user_id=anna").status == 403);
        BOOST_TEST(office.services(other).status == 403);
        BOOST_TEST(
            office.get(other, "/oauth/consent?flow_id=" + office.journey.flow).status == 403);
        BOOST_TEST(office.begin_upstream_authorization(other).status == 403);
    }
    BOOST_TEST(holds(office.services("ben").body, "begun by somebody else"));
    BOOST_TEST(holds(office.server.log, "error=verified_user_missing"));
    BOOST_TEST(holds(office.server.log, "fastcgi_param REMOTE_USER"));
    BOOST_TEST(error_of(office.send("anna", "user-id", "&user_id=ben")) == "invalid_request");
    BOOST_TEST(office.send("anna", "submit").status == 302);
}

BOOST_AUTO_TEST_CASE(without_a_name_nothing_is_begun_or_shown, *label("S8")) {
    Office office;
    for (const Name& nobody : {Name(), Name("")}) {
        const auto reply = office.begin(nobody);
        BOOST_TEST(reply.status == 403);
        BOOST_TEST(holds(reply.body, "not signed in here"));
        BOOST_TEST(!holds(reply.body, "REMOTE_USER"));
        for (const auto* page :
             {"/oauth/consent", "/oauth/consent/mcps", "/oauth/sessions", "/api/oauth/callback",
              "/api/oauth/per-user/upstream/authorize"})
            BOOST_TEST(office.get(nobody, page).status == 403);
        for (const auto* form :
             {"/oauth/sessions/end", "/oauth/sessions/disconnect",
              "/api/oauth/per-user/upstream/connect", "/api/oauth/per-user/consent/client"})
            BOOST_TEST(office.post(nobody, form, "").status == 403);
    }
}

BOOST_AUTO_TEST_CASE(
    finish_pressed_twice_leads_its_owner_on_and_nobody_else, *label("K51") * label("U14")) {
    Office office;
    office.begin("anna");
    auto again = office.journey.form("submit");
    again.accept = browser_accept;
    const auto code = query_value(location_of(office.send("anna", "submit")), "code");
    BOOST_TEST(holds(office.ask("anna", again).body, code));
    const auto other = office.ask("ben", again);
    BOOST_TEST(other.status == 409);
    BOOST_TEST(!holds(other.body, code));
    const auto done = office.journey.page("/oauth/consent/done");
    BOOST_TEST(holds(office.ask("anna", done).body, code));
    BOOST_TEST(office.ask("ben", done).status == 403);
    BOOST_TEST(!holds(office.ask("ben", done).body, code));
}

BOOST_AUTO_TEST_CASE(
    an_admins_bearer_replaces_the_cookie_and_not_the_person, *label("S4") * label("K51")) {
    Office office;
    office.begin("anna");
    office.server.store->virtual_keys.put(sample_virtual_key());
    auto keyed = office.journey.form("submit");
    keyed.authorization = "Bearer sk-bf-sample";
    BOOST_TEST(error_of(office.ask("anna", keyed)) == "invalid_bearer");
    // A browser's answer to a web server that asks by Basic is no bearer of ours.
    auto basic = office.journey.form("submit");
    basic.authorization = "Basic YW5uYTpzZWNyZXQ=";
    BOOST_TEST(error_of(office.ask("ben", basic)) == "another_user");
    BOOST_TEST(office.ask("anna", basic).status == 302);
}

BOOST_AUTO_TEST_CASE(
    accounts_are_the_users_across_sessions_and_browsers_and_nobody_elses,
    *label("S8") * label("K15") * label("K51")) {
    Office office;
    office.begin("anna");
    const auto begun_authorization = office.begin_upstream_authorization("anna");
    for (const Name& other : {Name("ben"), Name()})
        BOOST_TEST(office.come_back(other, begun_authorization, "anna").status == 403);
    BOOST_TEST(office.service.redeemed.empty());
    BOOST_TEST(
        office.come_back("anna", begun_authorization, "anna").status ==
        302); // the refused answers used nothing up
    office.send("anna", "submit");

    office.journey.cookie.clear();
    office.begin("anna");
    BOOST_TEST(holds(office.services("anna").body, "Connected"));
    office.begin("ben");
    BOOST_TEST(!holds(office.services("ben").body, "Connected"));

    // The same name, typed: on a server that lets people type, over the same database.
    office.server.policy.verified_user = core::VerifiedUser::off;
    office.begin("anna");
    BOOST_TEST(office.send(std::nullopt, "user-id", "&user_id=anna").status == 302);
    BOOST_TEST(!holds(office.services("anna").body, "Connected"));
    office.come_back(std::nullopt, office.begin_upstream_authorization(std::nullopt), "typed");
    BOOST_TEST(holds(office.services(std::nullopt).body, "Connected"));
    office.send(std::nullopt, "submit");
    office.server.policy.verified_user = core::VerifiedUser::remote_user;
    const auto of_anna = office.server.store->accounts.list(
        core::Identity{core::IdentityKind::verified_user, "anna"}.owner(core::SessionId()));
    BOOST_REQUIRE(of_anna.size() == 1U);
    BOOST_TEST(
        office.service.redeemed == (std::vector<std::string>{"anna", "typed"}),
        boost::test_tools::per_element());
    office.begin("ben");
    BOOST_TEST(!holds(office.services("ben").body, "Connected"));
}

BOOST_AUTO_TEST_CASE(
    the_sessions_page_shows_and_ends_the_sessions_of_its_own_user, *label("U12") * label("K51")) {
    Office office;
    for (const auto* name : {"anna", "ben"}) {
        office.begin(name);
        office.send(name, "submit");
    }
    BOOST_TEST(holds(office.get("anna", "/oauth/sessions").body, "As anna"));
    BOOST_TEST(!holds(office.get("anna", "/oauth/sessions").body, "As ben"));
    for (const auto& view : office.sessions()) {
        if (view.session.identity.value == "anna")
            BOOST_TEST(
                office.post("ben", "/oauth/sessions/end", "session_id=" + view.session.id.text)
                    .status == 302);
    }
    BOOST_TEST(office.sessions().size() == 2U);
    office.post("ben", "/oauth/sessions/end", "");
    BOOST_REQUIRE(office.sessions().size() == 1U);
    BOOST_TEST(office.sessions()[0].session.identity.value == "anna");
}

BOOST_AUTO_TEST_CASE(a_link_to_connect_later_is_its_sessions_users, *label("U10") * label("K51")) {
    Office office;
    office.begin("anna");
    office.send("anna", "submit");
    const auto link = core::make_link(
        office.sessions()[0].session.id, core::ServiceId("notion"), std::string(22, 'x'),
        office.server.keyring, noon);
    const auto target = "/api/oauth/per-user/upstream/authorize?mcp_client_id=notion&link=" +
                        core::percent_encode(link.reveal());
    const auto form = "mcp_client_id=notion&link=" + core::percent_encode(link.reveal());
    BOOST_TEST(office.get("ben", target).status == 403);
    BOOST_TEST(
        error_of(office.post("ben", "/api/oauth/per-user/upstream/connect", form)) ==
        "another_user");
    BOOST_TEST(office.get("anna", target).status == 200);
    const auto begun_authorization =
        office.post("anna", "/api/oauth/per-user/upstream/connect", form);
    BOOST_TEST(begun_authorization.status == 302);
    BOOST_TEST(office.come_back("ben", begun_authorization, "later").status == 403);
    BOOST_TEST(office.come_back("anna", begun_authorization, "later").status == 200);
}

BOOST_AUTO_TEST_CASE(consent_is_recalled_for_the_user_who_gave_it, *label("U7") * label("K51")) {
    Office office;
    auto client = sample_client({"https://client.example/cb"});
    client.id = core::ClientId("cgc_https");
    office.server.store->clients.put(client);
    const auto query = sample_authorize()
                           .with("client_id", "cgc_https")
                           .with("redirect_uri", "https://client.example/cb");
    office.begin("anna", query);
    office.send("anna", "submit");
    office.server.policy.remember_consent = core::RememberConsent::https;
    BOOST_TEST(location_of(office.begin("ben", query, "none")).starts_with("/oauth/consent/mcps"));
    BOOST_TEST(
        location_of(office.begin("anna", query, "none")).starts_with("/oauth/consent/remembered"));
    BOOST_TEST(office.send("ben", "reuse").status == 403); // not even in her browser
    BOOST_TEST(
        location_of(office.send("anna", "reuse")).starts_with("https://client.example/cb?code="));
    BOOST_TEST(office.sessions().front().session.identity.value == "anna");
}

BOOST_AUTO_TEST_SUITE_END()
