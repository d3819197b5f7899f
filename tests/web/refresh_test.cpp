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
    server.policy.refresh_grace = core::Span(30);
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
    a_process_that_slept_gets_the_successor_that_nobody_used, *label("T23") * label("XE4")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    for (const int at : {90, 200, 1000, 3000, 3659}) {
        const auto again = json_of(server.refresh(form, at).body);
        BOOST_TEST_CONTEXT(at) BOOST_TEST(SignedIn::token(again) == SignedIn::token(second));
        BOOST_TEST(SignedIn::access(again) == SignedIn::access(second));
        BOOST_TEST(again->integer("expires_in").value() == 86400 + 60 - at);
    }
    BOOST_TEST(server.good(SignedIn::access(second), 3659));
    const auto one = server.log.find("what=refresh_repeated");
    BOOST_TEST(one != std::string::npos);
    BOOST_TEST(server.log.find("what=refresh_repeated", one + 1) != std::string::npos);
    BOOST_TEST(!holds(server.log, "what=token_replayed"));
    const auto third = server.refresh(SignedIn::parameters(SignedIn::token(second)), 3700);
    BOOST_TEST(third.status == 200);
}

// As from a laptop that went to sleep with two processes, each with another token of the chain.
BOOST_AUTO_TEST_CASE(each_link_of_a_chain_has_late_repeats_of_its_own, *label("XE4")) {
    SignedIn server;
    auto token = SignedIn::token(server.first);
    for (const int at : {60, 1000, 2000}) {
        const auto form = SignedIn::parameters(token);
        const auto next = SignedIn::token(json_of(server.refresh(form, at).body));
        for (int again = 0; again < 5; ++again)
            BOOST_TEST(SignedIn::token(json_of(server.refresh(form, at + 40).body)) == next);
        token = next;
    }
    BOOST_TEST(server.refresh(SignedIn::parameters(token), 2100).status == 200);
}

// Every other way in which a used token comes back late ends the family.
BOOST_AUTO_TEST_CASE(
    a_late_repeat_that_is_not_allowed_ends_the_family,
    *label("T22") * label("K14") * label("XE4")) {
    for (const std::string what : {"a sixth time", "its successor is used", "after the hour"}) {
        SignedIn server;
        const auto form = SignedIn::parameters(SignedIn::token(server.first));
        auto last = json_of(server.refresh(form, 60).body);
        int at = 100;
        if (what == "a sixth time") {
            for (int again = 0; again < 5; ++again) server.refresh(form, 90 + again);
        } else if (what == "its successor is used") {
            last = json_of(server.refresh(SignedIn::parameters(SignedIn::token(last)), 99).body);
        } else {
            at = 3660;
        }
        BOOST_TEST_CONTEXT(what) {
            BOOST_TEST(server.good(SignedIn::access(last), at));
            BOOST_TEST(error_of(server.refresh(form, at)) == "invalid_grant");
            BOOST_TEST(holds(server.log, "what=token_replayed"));
            BOOST_TEST(!server.good(SignedIn::access(last), at));
            BOOST_TEST(
                error_of(server.refresh(SignedIn::parameters(SignedIn::token(last)), at)) ==
                "invalid_grant");
        }
    }
}

BOOST_AUTO_TEST_CASE(
    a_late_repeat_that_is_refused_for_another_reason_is_not_counted, *label("XE4")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    for (int again = 0; again < 6; ++again) {
        BOOST_TEST(
            error_of(server.refresh(form.with("resource", "https://else.example/mcp"), 100)) ==
            "invalid_target");
        BOOST_TEST(error_of(server.refresh(form.with("scope", "mcp\"x"), 100)) == "invalid_scope");
        BOOST_TEST(
            error_of(server.refresh(form.with("client_id", "cgc_sample"), 100)) ==
            "unauthorized_client");
    }
    BOOST_TEST(SignedIn::token(json_of(server.refresh(form, 100).body)) == SignedIn::token(second));
}

BOOST_AUTO_TEST_CASE(a_late_repeat_gets_an_access_token_that_lasts, *label("T27") * label("XE4")) {
    SignedIn server;
    server.policy.session_lifetime = core::Span(600);
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    const auto late = json_of(server.refresh(form, 660).body);
    BOOST_TEST(SignedIn::token(late) == SignedIn::token(second));
    BOOST_TEST(SignedIn::access(late) != SignedIn::access(second));
    BOOST_TEST(late->integer("expires_in").value() == 600);
    BOOST_TEST(!server.good(SignedIn::access(second), 660));
    BOOST_TEST(server.good(SignedIn::access(late), 1259));
    BOOST_TEST(!server.good(SignedIn::access(late), 1260));
}

BOOST_AUTO_TEST_CASE(a_late_repeat_may_narrow_the_scope, *label("T24") * label("XE4")) {
    SignedIn server;
    const auto form = SignedIn::parameters(SignedIn::token(server.first));
    const auto second = json_of(server.refresh(form, 60).body);
    const auto narrow = json_of(server.refresh(form.with("scope", "mcp"), 100).body);
    BOOST_TEST(member_of(*narrow, "scope") == "mcp");
    BOOST_TEST(SignedIn::token(narrow) == SignedIn::token(second));
    BOOST_TEST(server.good(SignedIn::access(narrow), 100));
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
    for (const int at : {62, 70, 89, 90, 1000, 3659}) {
        while (server.store->maintenance.sweep(noon + core::Span(at), noon, 50).more) {}
        const auto again = server.refresh(form, at);
        BOOST_TEST(again.status == 200);
        BOOST_TEST(!server.good(access, at));
    }
}

BOOST_AUTO_TEST_SUITE_END()
