// Tests src/web/router.cpp and src/usecase through it: from registration to a token, and each error
// on the way.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

#include <sqlite3.h>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// A writer that holds the database, as another worker in a long transaction would.
class Writer {
public:
    explicit Writer(const std::string& path) {
        sqlite3_open(path.c_str(), &db_);
        sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    }
    ~Writer() { sqlite3_close(db_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

private:
    sqlite3* db_ = nullptr;
};

void put_key(TestServer& server, const std::string& clear) {
    server.store->virtual_keys.put(sample_virtual_key(clear));
}

} // namespace

BOOST_AUTO_TEST_SUITE(journey)

BOOST_AUTO_TEST_CASE(
    from_registration_to_a_token, *label("R7") * label("A25") * label("K12") * label("A8") *
                                      label("S2") * label("T2") * label("T3")) {
    TestServer server;
    const auto registered = server.ask(TestServer::post(
        "/api/oauth/per-user/register",
        R"({"client_name":"Tool","redirect_uris":["http://127.0.0.1/cb"],)"
        R"("token_endpoint_auth_method":"none"})",
        "application/json"));
    BOOST_TEST(registered.status == 201);
    BOOST_TEST(header_of(registered, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(registered, "Content-Type") == "application/json");
    const auto client = member_of(*json_of(registered.body), "client_id");

    Journey journey(server);
    journey.begin(sample_authorize()
                      .with("client_id", client)
                      .with("redirect_uri", "http://127.0.0.1:53111/cb"));
    BOOST_TEST(server.ask(journey.page("/oauth/consent")).status == 200);
    BOOST_TEST(
        location_of(journey.send("user-id", "&user_id=anna")) ==
        "/oauth/consent/mcps?flow_id=" + journey.flow);
    BOOST_TEST(holds(server.ask(journey.page("/oauth/consent/mcps")).body, "anna"));
    const auto finished = journey.send("submit");
    BOOST_TEST(finished.status == 302);
    BOOST_TEST(finished.body.empty());
    BOOST_TEST(header_of(finished, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(finished, "Referrer-Policy") == "no-referrer");
    BOOST_TEST(location_of(finished).starts_with("http://127.0.0.1:53111/cb?code="));
    BOOST_TEST(query_value(location_of(finished), "state") == "a state");

    const auto code = query_value(location_of(finished), "code");
    const auto token = server.ask(TestServer::post(
        "/api/oauth/per-user/token",
        sample_exchange().with("client_id", client).with("code", code).text()));
    BOOST_TEST(token.status == 200);
    BOOST_TEST(header_of(token, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(token, "Pragma") == "no-cache");
    const auto session =
        server.store->sessions.find(core::sha256(member_of(*json_of(token.body), "access_token")));
    BOOST_REQUIRE(session.has_value());
    BOOST_TEST((session->session.identity == core::Identity{core::IdentityKind::user_id, "anna"}));
    BOOST_TEST(session->client_name == "Tool");
}

BOOST_AUTO_TEST_CASE(nothing_secret_is_written_into_the_log, *label("K47") * label("S5")) {
    TestServer server;
    put_key(server, "sk-bf-very-secret-key");
    Journey journey(server);
    journey.begin();
    journey.send("vk", "&vk=sk-bf-wrong-but-secret");
    journey.send("vk", "&vk=sk-bf-very-secret-key");
    const auto code = journey.finish();
    const auto token = member_of(*json_of(server.ask(journey.exchange(code)).body), "access_token");
    server.ask(journey.exchange(code));
    BOOST_REQUIRE(token.starts_with("cgs_"));
    for (const auto& secret :
         {code, token, journey.cookie.substr(journey.cookie.find('=') + 1), std::string("sk-bf-"),
          std::string(rfc7636_verifier), std::string("a state")}) {
        BOOST_TEST_CONTEXT(secret) BOOST_TEST(!holds(server.log, secret));
    }
    BOOST_TEST(holds(server.log, "event=audit what=consent_given "));
    BOOST_TEST(holds(server.log, "event=token"));
}

BOOST_AUTO_TEST_CASE(
    the_page_names_who_asks_for_what_and_where_it_leads, *label("U4") * label("U5")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto page = server.ask(journey.page("/oauth/consent"));
    for (const auto* part :
         {"Sample", "tools.example.org/mcp", "127.0.0.1:53111",
          "Use the tools of this server as you", "15 minutes", "Unverified",
          "Any program on this computer"}) {
        BOOST_TEST_CONTEXT(part) BOOST_TEST(holds(page.body, part));
    }
    auto late = journey.page("/oauth/consent");
    late.now = noon + core::Span(899);
    BOOST_TEST(holds(server.ask(late).body, "one more minute"));
}

BOOST_AUTO_TEST_CASE(
    a_hostile_client_name_is_shown_as_text_and_cut, *label("U6") * label("K22") * label("K29")) {
    TestServer server;
    auto client = sample_client();
    client.id = core::ClientId("cgc_hostile");
    client.name = "<img onerror=x>\u202E\nClaude" + std::string(180, 'x');
    server.store->clients.put(client);
    Journey journey(server);
    journey.begin(sample_authorize().with("client_id", "cgc_hostile"));
    const auto body = server.ask(journey.page("/oauth/consent")).body;
    BOOST_TEST(holds(body, "&lt;img onerror=x&gt;Claude"));
    BOOST_TEST(!holds(body, "<img"));
    BOOST_TEST(!holds(body, "\u202E"));
    BOOST_TEST(!holds(body, std::string(81, 'x')));
}

BOOST_AUTO_TEST_CASE(a_flow_belongs_to_its_browser, *label("U3") * label("S2")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    for (const auto* action : {"vk", "user-id", "skip", "submit", "deny"}) {
        auto foreign = journey.form(action, "&user_id=eve&vk=x");
        foreign.cookie = server.context.cookie_name + "=" + std::string(43, 'e');
        BOOST_TEST_CONTEXT(action) {
            BOOST_TEST(error_of(server.ask(foreign)) == "browser_mismatch");
            foreign.cookie.reset();
            BOOST_TEST(server.ask(foreign).status == 403);
        }
    }
    BOOST_TEST(journey.send("submit").status == 302); // and none of it did harm
}

BOOST_AUTO_TEST_CASE(two_tabs_of_one_browser_run_two_flows, *label("S6") * label("U13")) {
    TestServer server;
    Journey journey(server);
    const auto first = journey.begin();
    const auto cookie = journey.cookie;
    const auto second = journey.begin();
    BOOST_TEST(journey.cookie == cookie);
    BOOST_TEST(first != second);
    BOOST_TEST(journey.send("submit").status == 302);
    journey.flow = first;
    BOOST_TEST(server.ask(journey.page("/oauth/consent")).status == 200);
    BOOST_TEST(journey.send("submit").status == 302);
}

BOOST_AUTO_TEST_CASE(a_finished_flow_is_finished_for_ever, *label("S2") * label("U14")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    BOOST_TEST(journey.send("submit").status == 302);
    for (const auto* action : {"submit", "deny", "skip", "user-id", "vk"}) {
        const auto again = journey.send(action, "&user_id=a&vk=b");
        BOOST_TEST_CONTEXT(action) {
            BOOST_TEST(again.status == 409);
            BOOST_TEST(error_of(again) == "flow_already_submitted");
        }
    }
    BOOST_TEST(server.ask(journey.page("/oauth/consent")).status == 409);
    auto stranger = journey.form("submit");
    stranger.cookie.reset();
    BOOST_TEST(server.ask(stranger).status == 403);
}

BOOST_AUTO_TEST_CASE(
    an_expired_flow_is_gone_and_a_second_earlier_it_is_not, *label("S2") * label("S14")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    auto late = journey.form("submit");
    late.now = noon + core::Span(900);
    BOOST_TEST(server.ask(late).status == 410);
    BOOST_TEST(error_of(server.ask(late)) == "flow_expired");
    late.now = noon + core::Span(899);
    BOOST_TEST(server.ask(late).status == 302);
}

BOOST_AUTO_TEST_CASE(
    a_denied_flow_redirects_with_access_denied_and_is_no_more, *label("A27") * label("S6")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto denied = journey.send("deny");
    BOOST_TEST(denied.status == 302);
    BOOST_TEST(query_value(location_of(denied), "error") == "access_denied");
    BOOST_TEST(query_value(location_of(denied), "state") == "a state");
    BOOST_TEST(query_value(location_of(denied), "iss") == "https://auth.example.org");
    BOOST_TEST(journey.send("submit").status == 400);
    BOOST_TEST(error_of(journey.send("submit")) == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(a_mistake_in_the_identity_leads_back_and_is_said, *label("S6")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    const auto wrong = journey.send("vk", "&vk=sk-bf-nonsense");
    BOOST_TEST(
        location_of(wrong) ==
        "/oauth/consent?flow_id=" + journey.flow + "&error=invalid_virtual_key");
    BOOST_TEST(holds(
        server.ask(journey.page("/oauth/consent", "&error=invalid_virtual_key")).body,
        "This access code does not work here"));
    BOOST_TEST(
        location_of(journey.send("user-id", "&user_id=%20")) ==
        "/oauth/consent?flow_id=" + journey.flow + "&error=invalid_user_id");
    BOOST_TEST(
        location_of(journey.send("user-id", "&user_id=" + std::string(256, 'a'))) ==
        "/oauth/consent?flow_id=" + journey.flow + "&error=invalid_user_id");
    BOOST_TEST(
        location_of(journey.send("user-id", "&user_id=" + std::string(255, 'a'))) ==
        "/oauth/consent/mcps?flow_id=" + journey.flow);
    const auto free_text = server.ask(journey.page("/oauth/consent", "&error=Call+0800+EVIL")).body;
    BOOST_TEST(!holds(free_text, "EVIL"));
    BOOST_TEST(!holds(free_text, "class=\"mistake\""));
    const auto other = server.ask(journey.page("/oauth/consent", "&error=invalid_user_id")).body;
    BOOST_TEST(holds(other, "id=\"user-mistake\""));
    BOOST_TEST(!holds(other, "id=\"vk-mistake\""));
}

BOOST_AUTO_TEST_CASE(a_virtual_key_is_named_on_the_page_and_never_shown, *label("S6")) {
    TestServer server;
    put_key(server, "sk-bf-of-anna");
    Journey journey(server);
    journey.begin();
    BOOST_TEST(journey.send("vk", "&vk=sk-bf-of-anna").status == 302);
    const auto body = server.ask(journey.page("/oauth/consent/mcps")).body;
    BOOST_TEST(holds(body, "Anna, laptop"));
    BOOST_TEST(!holds(body, "sk-bf-"));
}

BOOST_AUTO_TEST_CASE(where_identity_is_enforced_the_person_is_sent_back, *label("S2")) {
    auto policy = sample_policy();
    policy.identities = policy.identities.without(core::IdentityKind::skipped);
    TestServer server(policy);
    Journey journey(server);
    journey.begin();
    for (const auto* action : {"submit", "skip"}) {
        BOOST_TEST_CONTEXT(action)
        BOOST_TEST(
            location_of(journey.send(action)) ==
            "/oauth/consent?flow_id=" + journey.flow + "&error=identity_required");
    }
    BOOST_TEST(!holds(server.ask(journey.page("/oauth/consent")).body, "per-user/consent/skip"));
    journey.send("user-id", "&user_id=anna");
    BOOST_TEST(
        location_of(journey.send("submit")).starts_with("http://127.0.0.1:53111/callback?code="));
}

BOOST_AUTO_TEST_CASE(the_services_page_needs_an_identity_first) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    BOOST_TEST(
        location_of(server.ask(journey.page("/oauth/consent/mcps"))) ==
        "/oauth/consent?flow_id=" + journey.flow);
    journey.send("skip");
    BOOST_TEST(server.ask(journey.page("/oauth/consent/mcps")).status == 200);
}

// ---- bearers

BOOST_AUTO_TEST_CASE(a_bearer_is_optional_and_a_bad_one_is_401_not_ignored, *label("S4")) {
    TestServer server;
    put_key(server, "sk-bf-of-anna");
    Journey journey(server);
    journey.begin();
    for (const auto* bad : {"Bearer", "Bearer sk-bf-unknown", "Bearer not.a.jwt", "bearer x y"}) {
        auto request = journey.form("submit");
        request.authorization = bad;
        const auto reply = server.ask(request);
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(reply.status == 401);
            BOOST_TEST(error_of(reply) == "invalid_bearer");
        }
    }
    auto good = journey.form("submit");
    good.authorization = "Bearer sk-bf-of-anna";
    const auto finished = server.ask(good);
    BOOST_TEST(finished.status == 302);
    const auto code =
        server.store->codes.find(core::sha256(query_value(location_of(finished), "code")));
    BOOST_TEST(
        (code->session.identity == core::Identity{core::IdentityKind::virtual_key, "vk_sample"}));
}

BOOST_AUTO_TEST_CASE(an_admin_needs_no_cookie_and_is_written_into_the_audit_log, *label("S4")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    auto request = journey.form("submit");
    request.cookie.reset();
    request.authorization =
        "Bearer " + sign("{\"exp\":" + in_an_hour() + R"(,"role":"admin","sub":"root"})").reveal();
    BOOST_TEST(server.ask(request).status == 302);
    BOOST_TEST(holds(server.log, "event=audit what=consent_given "));
    BOOST_TEST(holds(server.log, " by=admin admin=root "));
    BOOST_TEST(!holds(server.log, "eyJ"));
}

// ---- the token endpoint

// ---- the database away

BOOST_AUTO_TEST_CASE(
    without_a_database_every_format_says_503_and_when_to_come_back,
    *label("S2") * label("A28") * label("T29")) {
    TestServer server(sample_policy(), {0, 0}, false);
    auto submit =
        TestServer::post("/api/oauth/per-user/consent/submit", "flow_id=" + std::string(22, 'f'));
    auto page = TestServer::get("/oauth/consent?flow_id=" + std::string(22, 'f'));
    page.accept = browser_accept;
    const std::vector<web::Request> asked{
        submit,
        page,
        TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text()),
        TestServer::post(
            "/api/oauth/per-user/register",
            R"({"redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"})",
            "application/json"),
        TestServer::post("/api/oauth/per-user/token", sample_exchange().text()),
        TestServer::get("/readyz")};
    for (const auto& request : asked) {
        const auto reply = server.ask(request);
        BOOST_TEST_CONTEXT(request.path) {
            BOOST_TEST(reply.status == 503);
            BOOST_TEST(header_of(reply, "Retry-After") == "2");
            BOOST_TEST(!reply.body.empty());
            for (const auto* leak : {"sqlite", "SQL", "SELECT", "nowhere", "unable to open"})
                BOOST_TEST(!holds(reply.body, leak));
        }
    }
    BOOST_TEST(error_of(server.ask(submit)) == "store_unavailable");
    BOOST_TEST(error_of(server.ask(asked[4])) == "temporarily_unavailable");
    BOOST_TEST(
        server.ask(TestServer::get("/.well-known/oauth-authorization-server")).status ==
        200); // needs no database
}

BOOST_AUTO_TEST_CASE(a_busy_database_is_503_and_the_flow_can_be_submitted_again, *label("S2")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    {
        const Writer other(server.store_config.path);
        const auto reply = journey.send("submit");
        BOOST_TEST(reply.status == 503);
        BOOST_TEST(error_of(reply) == "store_unavailable");
        BOOST_TEST(header_of(reply, "Retry-After") == "2");
    }
    BOOST_TEST(journey.send("submit").status == 302);
}

BOOST_AUTO_TEST_SUITE_END()
