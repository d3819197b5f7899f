// Connecting accounts, handing their tokens out, and ending it, as Request -> Reply in front of a
// scripted service.
#include "tests/support/other_worker.h"
#include "tests/support/town.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(upstream)

BOOST_AUTO_TEST_CASE(
    who_comes_back_while_others_wait_for_that_service_keeps_state_and_code_and_comes_again,
    *label("XC2")) {
    Town town;
    sys::Places places;
    places.set_workers(4);
    town.server.deps.places = &places;
    town.journey.begin();
    town.journey.send("skip");
    const auto begun_authorization = town.begin_upstream_authorization();
    OtherWorker other(places, "https://notion.example/token");
    const auto refused = town.come_back(begun_authorization, "&code=anna");
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(header_of(refused, "Retry-After") == "1");
    BOOST_TEST(header_of(refused, "Refresh") == "1");
    BOOST_TEST(holds(refused.body, "tries again by itself"));
    BOOST_TEST(town.service.redeemed.empty());
    other.kill();
    const auto back = town.come_back(begun_authorization, "&code=anna");
    BOOST_TEST(
        location_of(back) ==
        "/oauth/consent/mcps?flow_id=" + town.journey.flow + "#service-notion");
    BOOST_TEST(town.service.redeemed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(
    an_account_connected_during_consent_is_the_sessions_after_it,
    *label("S1") * label("S7") * label("RS7")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    BOOST_TEST(
        holds(town.services_page(), "upstream/authorize?mcp_client_id&#x3D;notion") !=
        holds(town.services_page(), "mcp_client_id=notion"));
    const auto begun_authorization = town.begin_upstream_authorization();
    BOOST_TEST(begun_authorization.status == 302);
    BOOST_TEST(location_of(begun_authorization).starts_with("https://notion.example/authorize?"));
    const auto back = town.come_back(begun_authorization, "&code=anna");
    BOOST_TEST(
        location_of(back) ==
        "/oauth/consent/mcps?flow_id=" + town.journey.flow + "#service-notion");
    BOOST_TEST(holds(town.services_page(), "Connected"));
    const auto token = town.token();
    BOOST_TEST(town.exchanged(token) == "access-anna");
    BOOST_TEST(town.exchanged(token, "github") == "interaction_required");
    for (const auto& secret :
         {std::string("access-anna"), query_value(location_of(begun_authorization), "state"),
          token})
        BOOST_TEST(!holds(town.server.log, secret));
}

BOOST_AUTO_TEST_CASE(
    an_answer_at_the_address_of_another_service_is_refused_and_can_still_come_to_its_own,
    *label("XC1")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    const auto begun = town.begin_upstream_authorization("github");
    const auto query = "?state=" + query_value(location_of(begun), "state") + "&code=anna";
    for (const auto* other :
         {"/api/oauth/callback", "/api/oauth/callback/notion", "/api/oauth/callback/unknown"}) {
        const auto reply = town.server.ask(town.get(other + query));
        BOOST_TEST(reply.status == 400, other);
        BOOST_TEST(holds(town.server.log, "came to another address"), other);
    }
    for (const auto* nothing :
         {"/api/oauth/callback/", "/api/oauth/callback/github/", "/api/oauth/callback/GitHub",
          "/api/oauth/callback/github/x"})
        BOOST_TEST(town.server.ask(town.get(nothing + query)).status == 404, nothing);
    BOOST_TEST(town.service.redeemed.empty());
    BOOST_TEST(
        location_of(town.server.ask(town.get("/api/oauth/callback/github" + query))) ==
        "/oauth/consent/mcps?flow_id=" + town.journey.flow + "#service-github");
}

BOOST_AUTO_TEST_CASE(
    an_answer_in_another_browser_stores_nothing_and_one_used_twice_neither,
    *label("S7") * label("K21")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    const auto begun_authorization = town.begin_upstream_authorization();
    auto foreign = town.get(Town::callback(begun_authorization) + "&code=anna");
    foreign.cookie = town.server.context.cookie_name + "=" + std::string(43, 'x');
    BOOST_TEST(town.server.ask(foreign).status == 403);
    foreign.cookie.reset();
    BOOST_TEST(town.server.ask(foreign).status == 403);
    BOOST_TEST(town.service.redeemed.empty());
    BOOST_TEST(
        town.come_back(begun_authorization, "&code=anna").status ==
        302); // it was not used up by the stranger
    BOOST_TEST(town.come_back(begun_authorization, "&code=other").status == 400);
    BOOST_TEST(town.service.redeemed.size() == 1U);
    const auto late = town.begin_upstream_authorization();
    auto expired = town.get(Town::callback(late) + "&code=b");
    expired.now = noon + core::Span(900);
    BOOST_TEST(town.server.ask(expired).status == 400);
    const auto mixed = town.begin_upstream_authorization();
    BOOST_TEST(town.come_back(mixed, "&code=b&iss=https%3A%2F%2Fevil.example").status == 400);
    BOOST_TEST(town.service.redeemed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(
    a_refusal_and_a_failure_lead_back_with_words_and_can_be_tried_again, *label("S7")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    const auto refused =
        town.come_back(town.begin_upstream_authorization(), "&error=access_denied");
    BOOST_TEST(
        location_of(refused) == "/oauth/consent/mcps?flow_id=" + town.journey.flow +
                                    "&error=service_refused&service=notion#service-notion");
    BOOST_TEST(holds(
        town.server
            .ask(town.journey.page("/oauth/consent/mcps", "&error=service_refused&service=notion"))
            .body,
        "You said no there"));
    town.service.fail = "invalid_grant";
    BOOST_TEST(holds(location_of(town.connect("notion", "a")), "error=service_failed"));
    town.service.fail.clear();
    town.service.away = true;
    BOOST_TEST(holds(location_of(town.connect("notion", "a")), "error=service_failed"));
    town.service.away = false;
    town.connect("notion", "anna");
    town.connect("notion", "anna2"); // a reconnect replaces
    town.connect("github", "octo");
    const auto token = town.token();
    BOOST_TEST(town.exchanged(token) == "access-anna2");
    BOOST_TEST(town.exchanged(token, "github") == "access-octo");
}

BOOST_AUTO_TEST_CASE(a_service_is_asked_for_a_flow_of_this_browser_only, *label("S7")) {
    Town town;
    town.journey.begin();
    BOOST_TEST(holds(location_of(town.begin_upstream_authorization()), "error=identity_required"));
    town.journey.send("skip");
    BOOST_TEST(town.begin_upstream_authorization("nothing").status == 404);
    auto foreign = town.get(
        std::string(upstream_start) + "?mcp_client_id=notion&flow_id=" + town.journey.flow);
    foreign.cookie = town.server.context.cookie_name + "=" + std::string(43, 'x');
    BOOST_TEST(town.server.ask(foreign).status == 403);
    BOOST_TEST(
        town.server.ask(town.get(std::string(upstream_start) + "?flow_id=" + town.journey.flow))
            .status == 400);
}

BOOST_AUTO_TEST_CASE(
    two_who_typed_the_same_user_id_have_their_own_accounts, *label("S11") * label("K15")) {
    Town town;
    town.journey.begin();
    town.journey.send("user-id", "&user_id=anna");
    town.connect("notion", "first");
    const auto first = town.token();
    town.journey.cookie.clear();
    town.journey.begin();
    town.journey.send("user-id", "&user_id=anna");
    BOOST_TEST(!holds(town.services_page(), "class=\"connected\""));
    const auto second_without = town.token();
    BOOST_TEST(town.exchanged(second_without) == "interaction_required");
    town.journey.begin();
    town.journey.send("user-id", "&user_id=anna");
    town.connect("notion", "second");
    const auto second = town.token();
    BOOST_TEST(town.exchanged(first) == "access-first");
    BOOST_TEST(town.exchanged(second) == "access-second");
}

BOOST_AUTO_TEST_CASE(
    a_key_finds_its_accounts_again_and_its_services_are_all_it_gets, *label("S11")) {
    Town town;
    auto key = sample_virtual_key("sk-bf-a");
    key.services = {"notion"};
    town.server.store->virtual_keys.put(key);
    town.journey.begin();
    town.journey.send("vk", "&vk=sk-bf-a");
    BOOST_TEST(!holds(town.services_page(), "github"));
    BOOST_TEST(town.begin_upstream_authorization("github").status == 404);
    town.connect("notion", "of-key");
    const auto first = town.token();
    town.journey.begin();
    town.journey.send("vk", "&vk=sk-bf-a");
    BOOST_TEST(holds(town.services_page(), "class=\"connected\""));
    const auto second = town.token();
    BOOST_TEST(town.exchanged(first) == "access-of-key");
    BOOST_TEST(town.exchanged(second) == "access-of-key");
    BOOST_TEST(town.exchanged(second, "github") == "invalid_target");
}

BOOST_AUTO_TEST_CASE(
    a_due_token_is_refreshed_once_and_a_refused_one_must_be_connected_anew, *label("S9")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    town.connect("notion", "anna");
    const auto token = town.token();
    BOOST_TEST(town.exchanged(token, "notion", noon + core::Span(3539)) == "access-anna");
    BOOST_TEST(town.service.refreshed.empty());
    BOOST_TEST(town.exchanged(token, "notion", noon + core::Span(3540)) == "access-refreshed-1");
    BOOST_TEST(town.exchanged(token, "notion", noon + core::Span(3541)) == "access-refreshed-1");
    BOOST_TEST(town.service.refreshed.size() == 1U);
    // The rotated refresh token is the one that is used next.
    BOOST_TEST(town.exchanged(token, "notion", noon + core::Span(8000)) == "access-refreshed-2");
    town.service.away = true;
    BOOST_TEST(
        town.exchanged(token, "notion", noon + core::Span(11550)) ==
        "access-refreshed-2"); // good for another moment
    const auto later = town.exchange(token, "notion", noon + core::Span(11601));
    BOOST_TEST(later.status == 503);
    BOOST_TEST(header_of(later, "Retry-After") != "(absent)");
    town.service.away = false;
    town.service.fail = "invalid_grant";
    const auto broken = town.exchange(token, "notion", noon + core::Span(12000));
    BOOST_TEST(error_of(broken) == "interaction_required");
    const auto asked = town.service.refreshed.size();
    BOOST_TEST(town.exchanged(token, "notion", noon + core::Span(12001)) == "interaction_required");
    BOOST_TEST(
        town.service.refreshed.size() == asked); // a refused refresh token is not tried again
}

BOOST_AUTO_TEST_CASE(
    a_missing_account_is_connected_by_a_link_that_is_good_once_and_says_for_whom, *label("S7")) {
    Town town;
    town.journey.begin();
    town.journey.send("user-id", "&user_id=anna");
    const auto token = town.token();
    const auto uri = member_of(*json_of(town.exchange(token).body), "connect_uri");
    BOOST_TEST(uri.starts_with("https://auth.example.org/api/oauth/per-user/upstream/authorize"
                               "?mcp_client_id=notion&link="));
    const auto target = uri.substr(std::string("https://auth.example.org").size());
    const auto page = town.server.ask(town.get(target));
    BOOST_TEST(page.status == 200);
    for (const auto* said : {"Sample", "anna", "Notion", "notion.example"})
        BOOST_TEST_CONTEXT(said) BOOST_TEST(holds(page.body, said));
    auto foreign = town.get(target);
    foreign.cookie = town.server.context.cookie_name + "=" + std::string(43, 'x');
    BOOST_TEST(town.server.ask(foreign).status == 403);

    auto form = TestServer::post(
        "/api/oauth/per-user/upstream/connect", target.substr(target.find('?') + 1));
    form.cookie = town.journey.cookie;
    form.origin = "https://auth.example.org";
    auto cross = form;
    cross.origin = "https://evil.example";
    BOOST_TEST(town.server.ask(cross).status == 403);
    const auto begun_authorization = town.server.ask(form);
    BOOST_TEST(location_of(begun_authorization).starts_with("https://notion.example/authorize?"));
    BOOST_TEST(town.server.ask(form).status == 410);
    const auto done = town.come_back(begun_authorization, "&code=later");
    BOOST_TEST(done.status == 200);
    BOOST_TEST(holds(done.body, "Your account is connected"));
    BOOST_TEST(town.exchanged(token) == "access-later");
}

BOOST_AUTO_TEST_CASE(
    only_a_registered_resource_server_exchanges_and_only_tokens_for_its_resource,
    *label("RS7") * label("K24")) {
    Town town;
    town.journey.begin();
    town.journey.send("skip");
    town.connect("notion", "anna");
    const auto token = town.token();
    BOOST_TEST(town.exchanged("cgs_nothing") == "invalid_request");
    const auto secret = town.resource_server.clear;
    town.resource_server.clear = core::Secret("wrong");
    BOOST_TEST(town.exchange(token).status == 401);
    town.resource_server.clear = secret;
    BOOST_TEST(town.exchanged(token) == "access-anna");
    BOOST_TEST(static_cast<bool>(usecase::change_resource_server(
        town.server.deps, "https://tools.example.org/mcp",
        {.services = std::vector<std::string>()})));
    BOOST_TEST(town.exchanged(token) == "invalid_target");
}

BOOST_AUTO_TEST_CASE(a_person_sees_what_they_let_in_and_ends_it, *label("S11")) {
    Town town;
    BOOST_TEST(holds(town.server.ask(town.get("/oauth/sessions")).body, "Nothing has been let in"));
    town.journey.begin();
    town.journey.send("skip");
    town.connect("notion", "anna");
    const auto token = town.token();
    town.exchanged(token);
    const auto page = town.server.ask(town.get("/oauth/sessions"));
    for (const auto* said : {"Sample", "Notion", "Last used 2027-01-15 08:00 UTC", "Disconnect"})
        BOOST_TEST_CONTEXT(said) BOOST_TEST(holds(page.body, said));
    const auto session = town.server.store->sessions.find(core::sha256(token))->session.id.text;
    const auto send = [&](const std::string& what, const std::string& body,
                          const std::string& cookie) {
        auto form = TestServer::post("/oauth/sessions/" + what, body);
        form.cookie = cookie;
        form.origin = "https://auth.example.org";
        return town.server.ask(form).status;
    };
    const auto stranger = town.server.context.cookie_name + "=" + std::string(43, 'x');
    send("disconnect", "session_id=" + session + "&mcp_client_id=notion", stranger);
    send("end", "session_id=" + session, stranger);
    BOOST_TEST(town.exchanged(token) == "access-anna");
    BOOST_TEST(
        send(
            "disconnect", "session_id=" + session + "&mcp_client_id=notion", town.journey.cookie) ==
        302);
    BOOST_TEST(town.service.revoked.size() == 2U); // both tokens, at the service
    BOOST_TEST(town.exchanged(token) == "interaction_required");
    BOOST_TEST(send("end", "session_id=" + session, town.journey.cookie) == 302);
    BOOST_TEST(town.exchanged(token) == "invalid_request");
}

BOOST_AUTO_TEST_SUITE_END()
