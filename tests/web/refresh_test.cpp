// Tests src/usecase/token.cpp through the router: refresh and revocation.
#include "consentgate/usecase/access.h"

#include "tests/support/samples.h"
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// A signed-in client that can refresh.
struct SignedIn : TestServer {
    Journey journey{*this};
    std::optional<core::JsonObject> first;

    SignedIn() {
        auto client = sample_client();
        client.id = core::ClientId("cgc_refresher");
        client.refresh = true;
        store->clients.put(client);
        journey.begin(
            sample_authorize().with("client_id", "cgc_refresher").with("scope", "mcp profile"));
        journey.send("skip");
        first = json_of(ask(TestServer::post(
                                "/api/oauth/per-user/token", sample_exchange()
                                                                 .with("client_id", "cgc_refresher")
                                                                 .with("code", journey.finish())
                                                                 .text()))
                            .body);
    }

    static Parameters parameters(const std::string& token) {
        return {
            {"grant_type", "refresh_token"},
            {"client_id", "cgc_refresher"},
            {"refresh_token", token}};
    }
    web::Reply refresh(const Parameters& form, std::int64_t after = 60) {
        auto request = TestServer::post("/api/oauth/per-user/token", form.text());
        request.now = noon + core::Span(after);
        return ask(request);
    }
    web::Reply revoke(const Parameters& form) {
        return ask(TestServer::post("/api/oauth/per-user/revoke", form.text()));
    }
    bool good(const std::string& token, std::int64_t after = 60) {
        const auto checked = usecase::authorize_access(
            deps, core::Secret(token), policy.resources.front().url, noon + core::Span(after));
        return static_cast<bool>(checked);
    }
    static std::string access(const std::optional<core::JsonObject>& document) {
        return member_of(*document, "access_token");
    }
    static std::string token(const std::optional<core::JsonObject>& document) {
        return member_of(*document, "refresh_token");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(refresh)

BOOST_AUTO_TEST_CASE(
    a_client_registers_for_refreshing_and_its_registration_says_so,
    *label("R8") * label("R14") * label("T26")) {
    TestServer server;
    const auto registered = [&](const std::string& grants) {
        auto request = TestServer::post(
            "/api/oauth/per-user/register",
            R"({"redirect_uris":["http://127.0.0.1/cb"],"grant_types":)" + grants + "}",
            "application/json");
        return json_of(server.ask(request).body)->texts("grant_types");
    };
    const auto both = registered(
        R"(["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"])");
    BOOST_REQUIRE(both->size() == 2U);
    BOOST_TEST(both->at(1) == "refresh_token");
    BOOST_TEST(registered(R"(["authorization_code"])")->size() == 1U);
    server.policy.refresh_idle = core::Span(0);
    BOOST_TEST(registered(R"(["authorization_code","refresh_token"])")->size() == 1U);
}

BOOST_AUTO_TEST_CASE(
    a_refresh_gives_a_new_pair_and_the_old_access_token_lasts_its_time,
    *label("T3") * label("T21") * label("T2")) {
    SignedIn server;
    const auto reply = server.refresh(SignedIn::parameters(SignedIn::token(server.first)));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
    const auto second = json_of(reply.body);
    BOOST_TEST(SignedIn::token(second) != SignedIn::token(server.first));
    BOOST_TEST(SignedIn::access(second) != SignedIn::access(server.first));
    BOOST_TEST(member_of(*second, "scope") == "mcp profile");
    BOOST_TEST(second->integer("expires_in").value() == 86400);
    BOOST_TEST(server.good(SignedIn::access(second)));
    BOOST_TEST(server.good(SignedIn::access(server.first)));
    BOOST_TEST(server.good(SignedIn::access(second), 86400 + 59));
    BOOST_TEST(!server.good(SignedIn::access(server.first), 86400));
    BOOST_TEST(!server.good(SignedIn::access(second), 86400 + 60));
}

BOOST_AUTO_TEST_CASE(
    a_refresh_that_is_repeated_within_the_grace_gets_the_same_answer, *label("T23")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto once = json_of(server.refresh(form, 60).body);
    const auto again = json_of(server.refresh(form, 89).body);
    BOOST_TEST(SignedIn::token(again) == SignedIn::token(once));
    BOOST_TEST(SignedIn::access(again) == SignedIn::access(once));
    BOOST_TEST(again->integer("expires_in").value() == 86400 - 29);
    BOOST_TEST(server.good(SignedIn::access(once)));
}

// One process of the client has gone on while another still holds the token from the beginning: it
// is led to the end.
BOOST_AUTO_TEST_CASE(
    a_process_left_behind_within_the_grace_is_led_to_the_newest_token, *label("T23")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    const auto third =
        json_of(server.refresh(SignedIn::parameters(SignedIn::token(second)), 70).body);
    const auto late = json_of(server.refresh(form, 80).body);
    BOOST_TEST(SignedIn::token(late) == SignedIn::token(third));
    BOOST_TEST(server.good(SignedIn::access(late)));
    BOOST_TEST(server.refresh(SignedIn::parameters(SignedIn::token(late)), 3600).status == 200);
}

BOOST_AUTO_TEST_CASE(
    a_token_that_comes_back_after_the_grace_ends_the_family, *label("T22") * label("K14")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    const auto reply = server.refresh(form, 90);
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(error_of(reply) == "invalid_grant");
    BOOST_TEST(!server.good(SignedIn::access(second)));
    BOOST_TEST(!server.good(SignedIn::access(server.first)));
    BOOST_TEST(
        error_of(server.refresh(SignedIn::parameters(SignedIn::token(second)), 91)) ==
        "invalid_grant");
}

BOOST_AUTO_TEST_CASE(
    another_client_can_neither_use_nor_end_the_family, *label("T20") * label("T22")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    auto thief = sample_client();
    thief.id = core::ClientId("cgc_thief");
    thief.refresh = true;
    server.store->clients.put(thief);
    BOOST_TEST(error_of(server.refresh(form.with("client_id", "cgc_thief"))) == "invalid_grant");
    const auto second = json_of(server.refresh(form, 60).body);
    BOOST_TEST(
        error_of(server.refresh(form.with("client_id", "cgc_thief"), 3600)) == "invalid_grant");
    BOOST_TEST(server.good(SignedIn::access(second), 3600));
}

BOOST_AUTO_TEST_CASE(a_refusal_rotates_nothing, *label("T18") * label("T24")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    BOOST_TEST(error_of(server.refresh(form.with("scope", "mcp\"admin"))) == "invalid_scope");
    BOOST_TEST(
        error_of(server.refresh(form.with("resource", "https://else.example/mcp"))) ==
        "invalid_target");
    const auto narrowed = json_of(server.refresh(form.with("scope", "mcp")).body);
    BOOST_TEST(member_of(*narrowed, "scope") == "mcp");
    const auto whole =
        json_of(server.refresh(SignedIn::parameters(SignedIn::token(narrowed))).body);
    BOOST_TEST(member_of(*whole, "scope") == "mcp profile");
}

BOOST_AUTO_TEST_CASE(
    a_client_without_the_grant_gets_no_refresh_token_and_cannot_refresh,
    *label("T4") * label("T26")) {
    TestServer server;
    Journey journey(server);
    journey.begin();
    journey.send("skip");
    const auto document = json_of(server.ask(journey.exchange(journey.finish())).body);
    BOOST_TEST(!document->has("refresh_token"));
    const auto reply = server.ask(TestServer::post(
        "/api/oauth/per-user/token",
        "grant_type=refresh_token&client_id=cgc_sample&refresh_token=x"));
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(error_of(reply) == "unauthorized_client");
}

BOOST_AUTO_TEST_CASE(
    a_client_or_key_that_no_longer_stands_ends_its_families, *label("T25") * label("R18")) {
    SignedIn server;
    server.store->clients.disable(core::ClientId("cgc_refresher"));
    BOOST_TEST(
        error_of(server.refresh(SignedIn::parameters(SignedIn::token(server.first)))) ==
        "invalid_client");
}

// ---- revocation
BOOST_AUTO_TEST_CASE(
    a_revoked_refresh_token_takes_its_family_with_it, *label("V1") * label("V4") * label("V5")) {
    SignedIn server;
    const auto reply = server.revoke(
        {{"client_id", "cgc_refresher"},
         {"token", SignedIn::token(server.first)},
         {"token_type_hint", "foo"}});
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(reply.body.empty());
    BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
    BOOST_TEST(!server.good(SignedIn::access(server.first)));
    BOOST_TEST(
        error_of(server.refresh(SignedIn::parameters(SignedIn::token(server.first)))) ==
        "invalid_grant");
}

BOOST_AUTO_TEST_CASE(a_revoked_access_token_leaves_the_refresh_token, *label("V1") * label("V4")) {
    SignedIn server;
    BOOST_TEST(
        server.revoke({{"client_id", "cgc_refresher"}, {"token", SignedIn::access(server.first)}})
            .status == 200);
    BOOST_TEST(!server.good(SignedIn::access(server.first)));
    const auto second =
        json_of(server.refresh(SignedIn::parameters(SignedIn::token(server.first))).body);
    BOOST_TEST(server.good(SignedIn::access(second)));
    server.revoke({{"client_id", "cgc_refresher"}, {"token", SignedIn::access(second)}});
    BOOST_TEST(!server.good(SignedIn::access(second)));
}

BOOST_AUTO_TEST_CASE(
    another_clients_token_is_not_revoked_and_the_answer_does_not_tell,
    *label("V2") * label("V3") * label("K38")) {
    SignedIn server;
    for (const auto& token :
         {SignedIn::access(server.first), SignedIn::token(server.first), std::string("garbage")}) {
        BOOST_TEST(server.revoke({{"client_id", "cgc_sample"}, {"token", token}}).status == 200);
    }
    BOOST_TEST(server.good(SignedIn::access(server.first)));
    BOOST_TEST(server.refresh(SignedIn::parameters(SignedIn::token(server.first))).status == 200);
}

BOOST_AUTO_TEST_CASE(a_revocation_names_a_client_and_a_token, *label("V2") * label("V3")) {
    SignedIn server;
    BOOST_TEST(error_of(server.revoke({{"client_id", "cgc_refresher"}})) == "invalid_request");
    const auto unknown = server.revoke({{"client_id", "cgc_nobody"}, {"token", "x"}});
    BOOST_TEST(unknown.status == 401);
    BOOST_TEST(error_of(unknown) == "invalid_client");
    BOOST_TEST(error_of(server.revoke({{"token", "x"}})) == "invalid_client");
}

BOOST_AUTO_TEST_CASE(no_refresh_token_is_written_into_the_log, *label("K47")) {
    SignedIn server;
    const auto second =
        json_of(server.refresh(SignedIn::parameters(SignedIn::token(server.first))).body);
    for (const auto& secret :
         {SignedIn::token(server.first), SignedIn::token(second), SignedIn::access(second)})
        BOOST_TEST(!holds(server.log, secret));
}

BOOST_AUTO_TEST_CASE(
    a_revoked_access_token_does_not_come_back_with_a_repeated_refresh, *label("XD6")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto access = SignedIn::access(json_of(server.refresh(form, 60).body));
    server.revoke({{"client_id", "cgc_refresher"}, {"token", access}});
    BOOST_TEST(!server.good(access, 61));
    for (const int at : {62, 70, 89}) {
        while (server.store->maintenance.sweep(noon + core::Span(at), noon, 50).more) {}
        const auto again = server.refresh(form, at);
        BOOST_TEST(again.status == 200);
        BOOST_TEST(!server.good(access, at));
    }
}

BOOST_AUTO_TEST_SUITE_END()
