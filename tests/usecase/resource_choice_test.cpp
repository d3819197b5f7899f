// Tests src/usecase/consent.cpp: the person chooses the resource. On SQLite.
#include "dependencies_fixture.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string tools = "https://tools.example.org/mcp";
const std::string notes = "https://notes.example.org/mcp";

struct TwoResources : DependenciesFixture {
    TwoResources() {
        policy.scopes.push_back({"notes", "Read your notes"});
        policy.resources.push_back({.url = notes, .scope = scopes("notes")});
    }

    core::FlowId begin_open(const std::string& scope = "") {
        const auto query = sample_authorize().without("resource").with("scope", scope);
        const auto flow = usecase::begin_authorize(
            deps, web::read_authorization_request(query.form()), *person.browser, noon);
        BOOST_REQUIRE_EQUAL(code_of(flow), "ok");
        return flow->id;
    }
    std::string choose(const core::FlowId& flow, const std::string& resource) {
        return code_of(usecase::choose_resource(deps, flow, resource, person, noon));
    }
    std::string submit(const core::FlowId& flow) {
        return code_of(usecase::submit_consent(deps, {flow}, person, noon));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(resource_choice, TwoResources)

BOOST_AUTO_TEST_CASE(
    the_session_is_for_the_resource_that_was_chosen_last_with_its_scopes, *label("XE5")) {
    const auto flow = begin_open();
    BOOST_TEST(submit(flow) == "resource_required");
    BOOST_TEST(choose(flow, tools) == "ok");
    BOOST_TEST(choose(flow, notes) == "ok");
    BOOST_TEST(submit(flow) == "ok");
    const auto session = store->sessions.list(noon).front().session;
    BOOST_TEST(session.resource == notes);
    BOOST_TEST(session.scope.text() == "notes");
    BOOST_TEST(choose(flow, tools) == "flow_already_submitted");
}

BOOST_AUTO_TEST_CASE(
    a_choice_is_for_the_browser_of_the_flow_and_for_a_flow_that_is_open, *label("XE5")) {
    const auto flow = begin_open();
    BOOST_TEST(
        code_of(usecase::choose_resource(deps, flow, notes, stranger, noon)) == "browser_mismatch");
    BOOST_TEST(
        code_of(usecase::choose_resource(deps, flow, notes, person, noon + core::Span(900))) ==
        "flow_expired");
    BOOST_TEST(choose(flow, "https://else.example/mcp") == "invalid_target");
    BOOST_TEST(choose(begin(), notes) == "invalid_request");
    BOOST_TEST(submit(flow) == "resource_required");
    // A resource that the operator took away meanwhile.
    policy.resources.pop_back();
    BOOST_TEST(choose(flow, notes) == "invalid_target");
    BOOST_TEST(choose(flow, tools) == "ok");
    store->clients.disable(core::ClientId("cgc_sample"));
    BOOST_TEST(choose(flow, tools) == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(
    an_identity_may_be_chosen_before_the_resource_and_stays_when_that_changes, *label("XE5")) {
    const auto flow = begin_open();
    BOOST_TEST(code_of(usecase::choose_user_id(deps, flow, "anna", person, noon)) == "ok");
    BOOST_TEST(submit(flow) == "resource_required");
    BOOST_TEST(choose(flow, notes) == "ok");
    BOOST_TEST(choose(flow, tools) == "ok");
    BOOST_TEST(submit(flow) == "ok");
    const auto session = store->sessions.list(noon).front().session;
    BOOST_TEST(session.identity.value == "anna");
    BOOST_TEST(session.resource == tools);
}

// Another tab chooses at the moment between a tab's look and its write.
BOOST_AUTO_TEST_CASE(
    a_choice_made_in_the_midst_of_another_tabs_step_is_not_lost, *label("XE5") * label("S2")) {
    const auto flow = begin_open();
    auto meddled = config;
    bool once = true;
    meddled.before_statement = [&](std::string_view sql) {
        if (!sql.starts_with("BEGIN") || !once) return;
        once = false;
        BOOST_TEST(choose(flow, notes) == "ok");
    };
    const auto store_in_motion = store::open_store(meddled);
    auto& other = with(*store_in_motion);
    BOOST_TEST(code_of(usecase::choose_resource(other, flow, tools, person, noon)) == "ok");
    BOOST_TEST(!once);
    auto found = store->flows.find(flow)->flow;
    BOOST_TEST(found.resource == tools); // the one that was pressed last
    BOOST_TEST(found.revision == 2);

    once = true;
    BOOST_TEST(code_of(usecase::submit_consent(other, {flow}, person, noon)) == "ok");
    BOOST_TEST(!once);
    BOOST_TEST(store->sessions.list(noon).front().session.resource == notes);
}

BOOST_AUTO_TEST_CASE(
    an_earlier_consent_is_given_again_only_after_the_resource_is_known,
    *label("XE5") * label("U7")) {
    policy.remember_consent = core::RememberConsent::always;
    put_key("sk-bf-anna", "vk_anna");
    const auto earlier = begin();
    BOOST_REQUIRE(
        usecase::choose_virtual_key(deps, earlier, core::Secret("sk-bf-anna"), person, noon));
    BOOST_TEST(submit(earlier) == "ok");
    const auto flow = begin_open("mcp");
    const auto reuse = [&] { return code_of(usecase::reuse_consent(deps, flow, person, noon)); };
    BOOST_TEST(!usecase::recall_consent(deps, store->flows.find(flow)->flow, noon));
    BOOST_TEST(reuse() == "resource_required");
    BOOST_TEST(choose(flow, notes) == "ok");
    BOOST_TEST(reuse() == "identity_required"); // another resource than that of the earlier one
    BOOST_TEST(choose(flow, tools) == "ok");
    BOOST_TEST(reuse() == "ok");
    BOOST_TEST(store->sessions.list(noon).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
