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

void put_key(TestServer& house, const std::string& clear) {
    house.store->put_virtual_key(sample_virtual_key(clear));
}

} // namespace

BOOST_AUTO_TEST_SUITE(journey)

BOOST_AUTO_TEST_CASE(
    from_registration_to_a_token, *label("R7") * label("A25") * label("K12") * label("A8") *
                                      label("S2") * label("T2") * label("T3")) {
    TestServer house;
    const auto registered = house.ask(TestServer::post(
        "/api/oauth/per-user/register",
        R"({"client_name":"Tool","redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"})",
        "application/json"));
    BOOST_TEST(registered.status == 201);
    BOOST_TEST(header_of(registered, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(registered, "Content-Type") == "application/json");
    const auto client = member_of(*json_of(registered.body), "client_id");

    Journey walk(house);
    walk.begin(sample_authorize()
                   .with("client_id", client)
                   .with("redirect_uri", "http://127.0.0.1:53111/cb"));
    BOOST_TEST(house.ask(walk.page("/oauth/consent")).status == 200);
    BOOST_TEST(
        location_of(walk.send("user-id", "&user_id=anna")) ==
        "/oauth/consent/mcps?flow_id=" + walk.flow);
    BOOST_TEST(holds(house.ask(walk.page("/oauth/consent/mcps")).body, "anna"));
    const auto finished = walk.send("submit");
    BOOST_TEST(finished.status == 302);
    BOOST_TEST(finished.body.empty());
    BOOST_TEST(header_of(finished, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(finished, "Referrer-Policy") == "no-referrer");
    BOOST_TEST(location_of(finished).starts_with("http://127.0.0.1:53111/cb?code="));
    BOOST_TEST(query_value(location_of(finished), "state") == "a state");

    const auto code = query_value(location_of(finished), "code");
    const auto token = house.ask(TestServer::post(
        "/api/oauth/per-user/token",
        sample_exchange().with("client_id", client).with("code", code).text()));
    BOOST_TEST(token.status == 200);
    BOOST_TEST(header_of(token, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(token, "Pragma") == "no-cache");
    const auto session =
        house.store->find_session(core::sha256(member_of(*json_of(token.body), "access_token")));
    BOOST_REQUIRE(session.has_value());
    BOOST_TEST((session->session.identity == core::Identity{core::IdentityKind::user_id, "anna"}));
    BOOST_TEST(session->client_name == "Tool");
}

BOOST_AUTO_TEST_CASE(nothing_secret_is_written_into_the_log, *label("K47") * label("S5")) {
    TestServer house;
    put_key(house, "sk-bf-very-secret-key");
    Journey walk(house);
    walk.begin();
    walk.send("vk", "&vk=sk-bf-wrong-but-secret");
    walk.send("vk", "&vk=sk-bf-very-secret-key");
    const auto code = walk.finish();
    const auto token = member_of(*json_of(house.ask(walk.exchange(code)).body), "access_token");
    house.ask(walk.exchange(code));
    BOOST_REQUIRE(token.starts_with("cgs_"));
    for (const auto& secret :
         {code, token, walk.cookie.substr(walk.cookie.find('=') + 1), std::string("sk-bf-"),
          std::string(rfc7636_verifier), std::string("a state")}) {
        BOOST_TEST_CONTEXT(secret) BOOST_TEST(!holds(house.log, secret));
    }
    BOOST_TEST(holds(house.log, "event=audit what=consent_given "));
    BOOST_TEST(holds(house.log, "event=token"));
}

BOOST_AUTO_TEST_CASE(
    the_page_names_who_asks_for_what_and_where_it_leads, *label("U4") * label("U5")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto page = house.ask(walk.page("/oauth/consent"));
    for (const auto* part :
         {"Sample", "tools.example.org/mcp", "127.0.0.1:53111",
          "Use the tools of this server as you", "15 minutes", "Unverified",
          "Any program on this computer"}) {
        BOOST_TEST_CONTEXT(part) BOOST_TEST(holds(page.body, part));
    }
    BOOST_TEST(holds(
        header_of(page, "Content-Security-Policy"), "form-action 'self' http://127.0.0.1:53111;"));
    auto late = walk.page("/oauth/consent");
    late.now = noon + core::Span(899);
    BOOST_TEST(holds(house.ask(late).body, "one more minute"));
}

BOOST_AUTO_TEST_CASE(
    a_hostile_client_name_is_shown_as_text_and_cut, *label("U6") * label("K22") * label("K29")) {
    TestServer house;
    auto client = sample_client();
    client.id = core::ClientId("cgc_hostile");
    client.name = "<img onerror=x>\u202E\nClaude" + std::string(180, 'x');
    house.store->put_client(client);
    Journey walk(house);
    walk.begin(sample_authorize().with("client_id", "cgc_hostile"));
    const auto body = house.ask(walk.page("/oauth/consent")).body;
    BOOST_TEST(holds(body, "&lt;img onerror=x&gt;Claude"));
    BOOST_TEST(!holds(body, "<img"));
    BOOST_TEST(!holds(body, "\u202E"));
    BOOST_TEST(!holds(body, std::string(81, 'x')));
}

BOOST_AUTO_TEST_CASE(a_flow_belongs_to_its_browser, *label("U3") * label("S2")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    for (const auto* action : {"vk", "user-id", "skip", "submit", "deny"}) {
        auto foreign = walk.form(action, "&user_id=eve&vk=x");
        foreign.cookie = house.context.cookie_name + "=" + std::string(43, 'e');
        BOOST_TEST_CONTEXT(action) {
            BOOST_TEST(error_of(house.ask(foreign)) == "browser_mismatch");
            foreign.cookie.reset();
            BOOST_TEST(house.ask(foreign).status == 403);
        }
    }
    BOOST_TEST(walk.send("submit").status == 302); // and none of it did harm
}

BOOST_AUTO_TEST_CASE(two_tabs_of_one_browser_run_two_flows, *label("S6") * label("U13")) {
    TestServer house;
    Journey walk(house);
    const auto first = walk.begin();
    const auto cookie = walk.cookie;
    const auto second = walk.begin();
    BOOST_TEST(walk.cookie == cookie);
    BOOST_TEST(first != second);
    BOOST_TEST(walk.send("submit").status == 302);
    walk.flow = first;
    BOOST_TEST(house.ask(walk.page("/oauth/consent")).status == 200);
    BOOST_TEST(walk.send("submit").status == 302);
}

BOOST_AUTO_TEST_CASE(a_finished_flow_is_finished_for_ever, *label("S2") * label("U14")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    BOOST_TEST(walk.send("submit").status == 302);
    for (const auto* action : {"submit", "deny", "skip", "user-id", "vk"}) {
        const auto again = walk.send(action, "&user_id=a&vk=b");
        BOOST_TEST_CONTEXT(action) {
            BOOST_TEST(again.status == 409);
            BOOST_TEST(error_of(again) == "flow_already_submitted");
        }
    }
    BOOST_TEST(house.ask(walk.page("/oauth/consent")).status == 409);
    auto stranger = walk.form("submit");
    stranger.cookie.reset();
    BOOST_TEST(house.ask(stranger).status == 403);
}

BOOST_AUTO_TEST_CASE(
    an_expired_flow_is_gone_and_a_second_earlier_it_is_not, *label("S2") * label("S14")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    auto late = walk.form("submit");
    late.now = noon + core::Span(900);
    BOOST_TEST(house.ask(late).status == 410);
    BOOST_TEST(error_of(house.ask(late)) == "flow_expired");
    late.now = noon + core::Span(899);
    BOOST_TEST(house.ask(late).status == 302);
}

BOOST_AUTO_TEST_CASE(a_denied_flow_tells_the_client_and_is_no_more, *label("A27") * label("S6")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto denied = walk.send("deny");
    BOOST_TEST(denied.status == 302);
    BOOST_TEST(query_value(location_of(denied), "error") == "access_denied");
    BOOST_TEST(query_value(location_of(denied), "state") == "a state");
    BOOST_TEST(query_value(location_of(denied), "iss") == "https://auth.example.org");
    BOOST_TEST(walk.send("submit").status == 400);
    BOOST_TEST(error_of(walk.send("submit")) == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(a_mistake_in_the_identity_leads_back_and_is_said, *label("S6")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto wrong = walk.send("vk", "&vk=sk-bf-nonsense");
    BOOST_TEST(
        location_of(wrong) == "/oauth/consent?flow_id=" + walk.flow + "&error=invalid_virtual_key");
    BOOST_TEST(holds(
        house.ask(walk.page("/oauth/consent", "&error=invalid_virtual_key")).body,
        "This key does not work here"));
    BOOST_TEST(
        location_of(walk.send("user-id", "&user_id=%20")) ==
        "/oauth/consent?flow_id=" + walk.flow + "&error=invalid_user_id");
    BOOST_TEST(
        location_of(walk.send("user-id", "&user_id=" + std::string(256, 'a'))) ==
        "/oauth/consent?flow_id=" + walk.flow + "&error=invalid_user_id");
    BOOST_TEST(
        location_of(walk.send("user-id", "&user_id=" + std::string(255, 'a'))) ==
        "/oauth/consent/mcps?flow_id=" + walk.flow);
    const auto free_text = house.ask(walk.page("/oauth/consent", "&error=Call+0800+EVIL")).body;
    BOOST_TEST(!holds(free_text, "EVIL"));
    BOOST_TEST(!holds(free_text, "class=\"mistake\""));
    const auto other = house.ask(walk.page("/oauth/consent", "&error=invalid_user_id")).body;
    BOOST_TEST(holds(other, "id=\"user-mistake\""));
    BOOST_TEST(!holds(other, "id=\"vk-mistake\""));
}

BOOST_AUTO_TEST_CASE(a_virtual_key_is_named_on_the_page_and_never_shown, *label("S6")) {
    TestServer house;
    put_key(house, "sk-bf-of-anna");
    Journey walk(house);
    walk.begin();
    BOOST_TEST(walk.send("vk", "&vk=sk-bf-of-anna").status == 302);
    const auto body = house.ask(walk.page("/oauth/consent/mcps")).body;
    BOOST_TEST(holds(body, "Anna, laptop"));
    BOOST_TEST(!holds(body, "sk-bf-"));
}

BOOST_AUTO_TEST_CASE(where_identity_is_enforced_the_person_is_sent_back, *label("S2")) {
    auto policy = sample_policy();
    policy.enforce_identity = true;
    TestServer house(policy);
    Journey walk(house);
    walk.begin();
    for (const auto* action : {"submit", "skip"}) {
        BOOST_TEST_CONTEXT(action)
        BOOST_TEST(
            location_of(walk.send(action)) ==
            "/oauth/consent?flow_id=" + walk.flow + "&error=identity_required");
    }
    BOOST_TEST(!holds(house.ask(walk.page("/oauth/consent")).body, "per-user/consent/skip"));
    walk.send("user-id", "&user_id=anna");
    BOOST_TEST(
        location_of(walk.send("submit")).starts_with("http://127.0.0.1:53111/callback?code="));
}

BOOST_AUTO_TEST_CASE(the_services_page_needs_an_identity_first) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    BOOST_TEST(
        location_of(house.ask(walk.page("/oauth/consent/mcps"))) ==
        "/oauth/consent?flow_id=" + walk.flow);
    walk.send("skip");
    BOOST_TEST(house.ask(walk.page("/oauth/consent/mcps")).status == 200);
}

// ---- bearers
// ---------------------------------------------------------------------------------------------------
BOOST_AUTO_TEST_CASE(a_bearer_is_optional_and_a_bad_one_is_401_not_ignored, *label("S4")) {
    TestServer house;
    put_key(house, "sk-bf-of-anna");
    Journey walk(house);
    walk.begin();
    for (const auto* bad : {"Bearer", "Bearer sk-bf-unknown", "Bearer not.a.jwt", "bearer x y"}) {
        auto request = walk.form("submit");
        request.authorization = bad;
        const auto reply = house.ask(request);
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(reply.status == 401);
            BOOST_TEST(error_of(reply) == "invalid_bearer");
        }
    }
    auto good = walk.form("submit");
    good.authorization = "Bearer sk-bf-of-anna";
    const auto finished = house.ask(good);
    BOOST_TEST(finished.status == 302);
    const auto code =
        house.store->find_code(core::sha256(query_value(location_of(finished), "code")));
    BOOST_TEST(
        (code->session.identity == core::Identity{core::IdentityKind::virtual_key, "vk_sample"}));
}

BOOST_AUTO_TEST_CASE(an_admin_needs_no_cookie_and_is_written_into_the_audit_log, *label("S4")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    auto request = walk.form("submit");
    request.cookie.reset();
    request.authorization =
        "Bearer " + sign("{\"exp\":" + in_an_hour() + R"(,"role":"admin","sub":"root"})").reveal();
    BOOST_TEST(house.ask(request).status == 302);
    BOOST_TEST(holds(house.log, "event=audit what=consent_given "));
    BOOST_TEST(holds(house.log, " by=admin admin=root "));
    BOOST_TEST(!holds(house.log, "eyJ"));
}

// ---- the token endpoint
// ----------------------------------------------------------------------------------------
BOOST_AUTO_TEST_CASE(
    a_code_gives_one_token_and_its_replay_ends_the_session,
    *label("T13") * label("T16") * label("T34") * label("K18")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto code = walk.finish();
    const auto token = member_of(*json_of(house.ask(walk.exchange(code)).body), "access_token");
    BOOST_TEST(!house.store->find_session(core::sha256(token))->session.revoked_at);
    const auto wrong = house.ask(TestServer::post(
        "/api/oauth/per-user/token",
        sample_exchange().with("code", code).with("code_verifier", std::string(43, 'x')).text()));
    BOOST_TEST(error_of(wrong) == "invalid_grant");
    BOOST_TEST(!house.store->find_session(core::sha256(token))->session.revoked_at);
    const auto again = house.ask(walk.exchange(code));
    BOOST_TEST(again.status == 400);
    BOOST_TEST(error_of(again) == "invalid_grant");
    BOOST_TEST(house.store->find_session(core::sha256(token))->session.revoked_at.has_value());
}

BOOST_AUTO_TEST_CASE(
    refusals_before_the_code_leave_it_whole, *label("T6") * label("T12") * label("T18")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto code = walk.finish();
    auto basic = walk.exchange(code);
    basic.authorization = "Basic Y2djX3NhbXBsZTo=";
    const auto refused = house.ask(basic);
    BOOST_TEST(refused.status == 401);
    BOOST_TEST(error_of(refused) == "invalid_client");
    BOOST_TEST(header_of(refused, "WWW-Authenticate").starts_with("Basic "));
    for (const auto& [name, value, verdict] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"resource", "https://other.example", "invalid_target"},
             {"redirect_uri", "http://127.0.0.1:1/callback", "invalid_grant"},
             {"code_verifier", std::string(43, 'x'), "invalid_grant"},
             {"client_id", "cgc_unknown", "invalid_client"}}) {
        const auto reply = house.ask(TestServer::post(
            "/api/oauth/per-user/token",
            sample_exchange().with("code", code).with(name, value).text()));
        BOOST_TEST_CONTEXT(name) BOOST_TEST(error_of(reply) == verdict);
    }
    BOOST_TEST(house.ask(walk.exchange(code)).status == 200);
}

BOOST_AUTO_TEST_CASE(the_token_endpoint_reads_the_body_only_and_only_forms, *label("T1")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto query = sample_exchange().with("code", walk.finish()).text();
    BOOST_TEST(
        error_of(house.ask(TestServer::post("/api/oauth/per-user/token?" + query, ""))) ==
        "invalid_request");
    BOOST_TEST(
        house.ask(TestServer::post("/api/oauth/per-user/token", "{}", "application/json")).status ==
        400);
    BOOST_TEST(
        error_of(house.ask(TestServer::post(
            "/api/oauth/per-user/token", "{}", "application/json"))) == "invalid_request");
    BOOST_TEST(house.ask(TestServer::get("/api/oauth/per-user/token?" + query)).status == 405);
    BOOST_TEST(house.ask(TestServer::post("/api/oauth/per-user/token", query)).status == 200);
}

BOOST_AUTO_TEST_CASE(
    an_unknown_or_disabled_client_can_see_that_it_must_register_again,
    *label("R18") * label("A3")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    const auto code = walk.finish();
    house.store->disable_client(core::ClientId("cgc_sample"));
    BOOST_TEST(error_of(house.ask(walk.exchange(code))) == "invalid_client");
    auto request = TestServer::get("/api/oauth/per-user/authorize?" + sample_authorize().text());
    request.accept = browser_accept;
    const auto reply = house.ask(request);
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(location_of(reply) == "(absent)");
}

// ---- the database away
// -----------------------------------------------------------------------------------------
BOOST_AUTO_TEST_CASE(
    without_a_database_every_face_says_503_and_when_to_come_back,
    *label("S2") * label("A28") * label("T29")) {
    TestServer house(sample_policy(), {0, 0}, false);
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
        const auto reply = house.ask(request);
        BOOST_TEST_CONTEXT(request.path) {
            BOOST_TEST(reply.status == 503);
            BOOST_TEST(header_of(reply, "Retry-After") == "2");
            BOOST_TEST(!reply.body.empty());
            for (const auto* leak : {"sqlite", "SQL", "SELECT", "nowhere", "unable to open"})
                BOOST_TEST(!holds(reply.body, leak));
        }
    }
    BOOST_TEST(error_of(house.ask(submit)) == "store_unavailable");
    BOOST_TEST(error_of(house.ask(asked[4])) == "temporarily_unavailable");
    BOOST_TEST(
        house.ask(TestServer::get("/.well-known/oauth-authorization-server")).status ==
        200); // needs no database
}

BOOST_AUTO_TEST_CASE(a_busy_database_is_503_and_the_flow_can_be_submitted_again, *label("S2")) {
    TestServer house;
    Journey walk(house);
    walk.begin();
    {
        const Writer other(house.store_config.path);
        const auto reply = walk.send("submit");
        BOOST_TEST(reply.status == 503);
        BOOST_TEST(error_of(reply) == "store_unavailable");
        BOOST_TEST(header_of(reply, "Retry-After") == "2");
    }
    BOOST_TEST(walk.send("submit").status == 302);
}

BOOST_AUTO_TEST_SUITE_END()
