// Tests src/web/resource_question.cpp through the router: which server an app may use, asked before
// page 1.
#include "tests/support/samples.h"
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string tools = "https://tools.example.org/mcp";
const std::string notes = "https://notes.example.org/mcp";

core::Policy two_resources() {
    auto policy = sample_policy();
    policy.scopes.push_back({"notes", "Read your notes"});
    policy.resources.push_back({.url = notes, .scope = scopes("notes")});
    return policy;
}

// A browser in front of an app that named none of two servers.
struct Asked {
    TestServer server;
    Journey journey;

    explicit Asked(core::Policy policy = two_resources())
        : server(std::move(policy)), journey(server) {}

    std::string begin(const Parameters& query = sample_authorize().without("resource")) {
        journey.begin(query);
        return journey.flow;
    }
    std::string page(const std::string& more = "") {
        return server.ask(journey.page("/oauth/consent", more)).body;
    }
    // Where the form leads, without the flow's id.
    std::string send(const std::string& action, const std::string& more = "") {
        const auto reply = journey.send(action, more);
        if (reply.status != 302) return std::to_string(reply.status) + " " + error_of(reply);
        auto location = location_of(reply);
        const auto id = location.find("?flow_id=" + journey.flow);
        if (id != std::string::npos) location.erase(id, 9 + journey.flow.size());
        return location;
    }
    std::string choose(const std::string& resource) {
        return send("resource", "&resource=" + core::percent_encode(resource));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(resource_choice)

BOOST_AUTO_TEST_CASE(page_1_asks_first_which_server_the_app_may_use, *label("XE5")) {
    Asked asked;
    asked.begin();
    const auto question = asked.page();
    for (const auto* part :
         {"Which server may the app use?", "tools.example.org/mcp", "notes.example.org/mcp",
          "value=\"https://notes.example.org/mcp\"", "auth.example.org", "Deny", "15 minutes"})
        BOOST_TEST_CONTEXT(part) BOOST_TEST(holds(question, part));
    for (const auto* part : {"Who are you", "It asks for", " checked>", "Choose a server first"})
        BOOST_TEST_CONTEXT(part) BOOST_TEST(!holds(question, part));

    BOOST_TEST(asked.choose(notes) == "/oauth/consent");
    const auto identity = asked.page();
    BOOST_TEST(holds(identity, "Who are you"));
    BOOST_TEST(holds(identity, "<bdi>notes.example.org</bdi>"));
    BOOST_TEST(holds(identity, "It asks for"));
    BOOST_TEST(!holds(identity, "tools.example.org"));
    BOOST_TEST(asked.send("skip") == "/oauth/consent/mcps");
    BOOST_TEST(asked.journey.finish().size() == 43U);
    const auto session = asked.server.store->sessions.list(noon).front().session;
    BOOST_TEST(session.resource == notes);
    BOOST_TEST(session.scope.text() == "mcp");
}

BOOST_AUTO_TEST_CASE(the_scopes_stand_on_the_question_only_when_the_app_named_some, *label("XE5")) {
    Asked asked;
    asked.begin();
    BOOST_TEST(holds(asked.page(), "Use the tools of this server as you"));
    asked.begin(sample_authorize().without("resource").without("scope"));
    BOOST_TEST(!holds(asked.page(), "It will be able to"));
    asked.choose(notes);
    BOOST_TEST(holds(asked.page(), "Read your notes"));
}

BOOST_AUTO_TEST_CASE(
    a_server_with_a_name_stands_there_by_it_and_its_address_and_is_chosen_by_its_url,
    *label("XE5") * label("N1")) {
    auto policy = two_resources();
    policy.resources.back().description.name = "Notes <of all>";
    Asked asked(policy);
    asked.begin();
    const auto question = asked.page();
    BOOST_TEST(
        holds(question, "<span>Notes &lt;of all&gt;<small>notes.example.org/mcp</small></span>"));
    BOOST_TEST(holds(question, "<span>tools.example.org/mcp</span>"));
    BOOST_TEST(holds(question, "value=\"" + notes + "\""));
    BOOST_TEST(asked.choose("Notes <of all>") == "400 invalid_target");
    BOOST_TEST(asked.choose(notes) == "/oauth/consent");
}

BOOST_AUTO_TEST_CASE(
    without_a_choice_submit_and_every_later_page_lead_back_to_the_question, *label("XE5")) {
    Asked asked;
    asked.begin();
    BOOST_TEST(asked.send("submit") == "/oauth/consent&error=resource_required");
    BOOST_TEST(asked.send("resource") == "/oauth/consent&error=resource_required");
    BOOST_TEST(asked.send("reuse") == "/oauth/consent&error=resource_required");
    const auto page = asked.page("&error=resource_required");
    BOOST_TEST(holds(page, "Choose a server first"));
    BOOST_TEST(holds(page, "<title>Please check:"));
    BOOST_TEST(asked.send("user-id", "&user_id=anna") == "/oauth/consent/mcps");
    for (const auto* path : {"/oauth/consent/mcps", "/oauth/consent/remembered"}) {
        const auto reply = asked.server.ask(asked.journey.page(path));
        BOOST_TEST_CONTEXT(path)
        BOOST_TEST(location_of(reply) == "/oauth/consent?flow_id=" + asked.journey.flow);
    }
    BOOST_TEST(holds(asked.page(), "Which server may the app use?"));
    // The person said who they are before, so the choice leads to the last page.
    BOOST_TEST(asked.choose(tools) == "/oauth/consent/mcps");
    BOOST_TEST(holds(asked.server.ask(asked.journey.page("/oauth/consent/mcps")).body, "Allow"));
}

BOOST_AUTO_TEST_CASE(a_person_may_choose_another_server_until_they_finish, *label("XE5")) {
    Asked asked;
    asked.begin();
    asked.choose(notes);
    asked.send("skip");
    const auto last = asked.server.ask(asked.journey.page("/oauth/consent/mcps")).body;
    BOOST_TEST(holds(last, "Choose another"));
    BOOST_TEST(holds(last, "choose=resource"));
    const auto again = asked.page("&choose=resource");
    BOOST_TEST(holds(again, "Which server may the app use?"));
    BOOST_TEST(holds(again, "notes.example.org/mcp\" required checked>"));
    BOOST_TEST(!holds(again, "tools.example.org/mcp\" required checked>"));
    BOOST_TEST(asked.choose(tools) == "/oauth/consent/mcps");
    asked.journey.finish();
    BOOST_TEST(asked.server.store->sessions.list(noon).front().session.resource == tools);
}

BOOST_AUTO_TEST_CASE(
    an_app_that_named_its_server_is_not_asked_about_and_cannot_be_led_to_another, *label("XE5")) {
    Asked asked;
    asked.begin(sample_authorize());
    for (const auto* more : {"", "&choose=resource"}) {
        BOOST_TEST(holds(asked.page(more), "Who are you"));
        BOOST_TEST(!holds(asked.page(more), "Choose another"));
    }
    BOOST_TEST(asked.choose(notes) == "400 invalid_request");
    asked.journey.finish();
    BOOST_TEST(asked.server.store->sessions.list(noon).front().session.resource == tools);

    Asked alone{sample_policy()};
    alone.begin();
    BOOST_TEST(holds(alone.page(), "Who are you"));
    BOOST_TEST(alone.choose(tools) == "400 invalid_request");
}

BOOST_AUTO_TEST_CASE(
    the_choice_is_a_form_of_ours_for_a_resource_of_ours, *label("XE5") * label("U3")) {
    Asked asked;
    asked.begin();
    BOOST_TEST(asked.choose("https://else.example/mcp") == "400 invalid_target");
    const auto refused = [&](auto&& change) {
        auto form = asked.journey.form("resource", "&resource=" + core::percent_encode(notes));
        change(form);
        const auto reply = asked.server.ask(form);
        return std::to_string(reply.status) + " " + error_of(reply);
    };
    BOOST_TEST(refused([](auto& form) { form.cookie.reset(); }) == "403 browser_mismatch");
    BOOST_TEST(
        refused([](auto& form) { form.fetch_site = "cross-site"; }) == "403 browser_mismatch");
    BOOST_TEST(
        refused([](auto& form) { form.origin = "https://evil.test"; }) == "403 browser_mismatch");
    BOOST_TEST(
        refused([](auto& form) { form.content_type = "text/plain"; }) == "400 missing_flow_id");
    BOOST_TEST(refused([](auto& form) {
                   form.body += "&resource=" + core::percent_encode(tools);
               }) == "400 invalid_request");
    BOOST_TEST(refused([](auto& form) { form.now += core::Span(900); }) == "410 flow_expired");
    BOOST_TEST(asked.send("submit") == "/oauth/consent&error=resource_required");
    BOOST_TEST(asked.choose(notes) == "/oauth/consent");
}

BOOST_AUTO_TEST_CASE(a_flow_without_a_resource_can_be_denied, *label("XE5") * label("A27")) {
    Asked asked;
    asked.begin();
    const auto location = asked.send("deny");
    BOOST_TEST(query_value(location, "error") == "access_denied");
    BOOST_TEST(asked.choose(notes).starts_with("400 "));
}

BOOST_AUTO_TEST_CASE(
    whom_the_web_server_signed_in_is_asked_which_server_before_the_last_page,
    *label("XE5") * label("S8")) {
    auto policy = two_resources();
    policy.verified_user = core::VerifiedUser::remote_user;
    Asked asked(policy);
    const auto as_anna = [&](web::Request request) {
        request.remote_user = "anna";
        return asked.server.ask(request);
    };
    auto begun = TestServer::get(
        "/api/oauth/per-user/authorize?" + sample_authorize().without("resource").text());
    const auto reply = as_anna(begun);
    const auto set = header_of(reply, "Set-Cookie");
    asked.journey.cookie = set.substr(0, set.find(';'));
    asked.journey.flow = query_value(location_of(reply), "flow_id");
    BOOST_TEST(location_of(reply) == "/oauth/consent?flow_id=" + asked.journey.flow);
    BOOST_TEST(
        holds(as_anna(asked.journey.page("/oauth/consent")).body, "Which server may the app use?"));
    const auto chosen =
        as_anna(asked.journey.form("resource", "&resource=" + core::percent_encode(notes)));
    BOOST_TEST(location_of(chosen) == "/oauth/consent/mcps?flow_id=" + asked.journey.flow);
    const auto last = as_anna(asked.journey.page("/oauth/consent/mcps")).body;
    BOOST_TEST(holds(last, "<bdi>anna</bdi>"));
    BOOST_TEST(holds(last, "notes.example.org"));
    BOOST_TEST(as_anna(asked.journey.form("submit")).status == 302);
}

BOOST_AUTO_TEST_CASE(
    a_remembered_consent_is_not_offered_before_the_server_is_known, *label("XE5") * label("XA5")) {
    auto policy = two_resources();
    policy.remember_consent = core::RememberConsent::always;
    Asked asked(policy);
    asked.server.store->virtual_keys.put(sample_virtual_key());
    asked.begin(sample_authorize());
    asked.send("vk", "&vk=sk-bf-sample");
    BOOST_REQUIRE(!asked.journey.finish().empty());
    const auto opened = [&](const Parameters& query) {
        auto request = TestServer::get("/api/oauth/per-user/authorize?" + query.text());
        request.cookie = asked.journey.cookie;
        request.fetch_site = "none";
        const auto location = location_of(asked.server.ask(request));
        asked.journey.flow = query_value(location, "flow_id");
        return location.substr(0, location.find('?'));
    };
    BOOST_TEST(opened(sample_authorize()) == "/oauth/consent/remembered");
    BOOST_TEST(opened(sample_authorize().without("resource")) == "/oauth/consent");
    BOOST_TEST(holds(asked.page(), "Which server may the app use?"));
    BOOST_TEST(asked.choose(tools) == "/oauth/consent");
    BOOST_TEST(holds(asked.page(), "Who are you"));
}

BOOST_AUTO_TEST_SUITE_END()
