// Tests src/core/oauth/authorize.cpp: the person chooses the resource that a client left out.
#include "consentgate/core/oauth/authorize.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string tools = "https://tools.example.org/mcp";
const std::string notes = "https://notes.example.org/mcp";

Policy two_resources() {
    auto policy = sample_policy();
    policy.scopes.push_back({"notes", "Read your notes"});
    policy.resources = {{.url = tools}, {.url = notes, .scope = scopes("notes")}};
    return policy;
}

Result<Flow> begun(const Parameters& query, const Client& client = sample_client()) {
    return validate_authorization_request(
        web::read_authorization_request(query.form()), client, two_resources(), FlowId("fresh"),
        sha256("browser"), noon);
}

Flow open_flow(const std::string& scope = "mcp", const Client& client = sample_client()) {
    const auto flow = begun(sample_authorize().without("resource").with("scope", scope), client);
    BOOST_REQUIRE_EQUAL(code_of(flow), "ok");
    return *flow;
}

// "RESOURCE: SCOPES", or the error.
std::string chosen(
    const Flow& flow, const std::optional<std::string>& named,
    const Client& client = sample_client()) {
    const auto now = choose_resource(flow, named, client, two_resources());
    return now ? now->resource + ": " + now->scope.text() : code_of(now);
}

} // namespace

BOOST_AUTO_TEST_SUITE(resource_choice)

BOOST_AUTO_TEST_CASE(
    a_request_that_names_none_of_several_leaves_the_choice_to_the_person,
    *label("XE5") * label("A19")) {
    for (const auto& query :
         {sample_authorize().without("resource"), sample_authorize().with("resource", "")}) {
        const auto flow = begun(query);
        BOOST_REQUIRE_EQUAL(code_of(flow), "ok");
        BOOST_TEST(flow->resource == "");
        BOOST_TEST(flow->resource_by_person);
        BOOST_TEST(flow->asked_scope.text() == "mcp");
        BOOST_TEST(code_of(check_resource_chosen(*flow)) == "resource_required");
    }
    const auto named = begun(sample_authorize());
    BOOST_TEST(!named->resource_by_person);
    BOOST_TEST(named->asked_scope.empty());
    BOOST_TEST(code_of(check_resource_chosen(*named)) == "ok");
    // A request that is wrong in another way goes back to the client at once.
    BOOST_TEST(
        code_of(begun(sample_authorize().without("resource").with("scope", "bo\"gus"))) ==
        "invalid_scope");
    BOOST_TEST(
        code_of(begun(sample_authorize().without("resource").also("prompt", "none"))) ==
        "login_required");
    BOOST_TEST(code_of(begun(sample_authorize().also("resource", notes))) == "invalid_target");
}

BOOST_AUTO_TEST_CASE(
    the_choice_sets_the_scopes_as_if_the_client_had_named_that_resource,
    *label("XE5") * label("XE3")) {
    auto registered = sample_client();
    registered.scope = "profile";
    for (const auto* scope : {"mcp", "profile mcp", "bogus", "", "openid", "notes"}) {
        for (const auto& resource : {tools, notes}) {
            for (const auto& client : {sample_client(), registered}) {
                const auto named = begun(
                    sample_authorize().with("scope", scope).with("resource", resource), client);
                BOOST_REQUIRE_EQUAL(code_of(named), "ok");
                BOOST_TEST_CONTEXT(scope << " at " << resource << " of " << client.scope)
                BOOST_TEST(
                    chosen(open_flow(scope, client), resource, client) ==
                    named->resource + ": " + named->scope.text());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(
    a_person_may_choose_again_and_nothing_of_the_first_choice_stays, *label("XE5")) {
    const auto open = open_flow("bogus");
    const auto first = choose_resource(open, notes, sample_client(), two_resources());
    BOOST_REQUIRE_EQUAL(code_of(first), "ok");
    BOOST_TEST(first->scope.text() == "notes");
    BOOST_TEST(chosen(*first, tools) == tools + ": mcp");
    BOOST_TEST(chosen(*first, notes) == notes + ": notes");
}

BOOST_AUTO_TEST_CASE(
    only_a_guarded_resource_can_be_chosen_and_only_where_the_client_named_none, *label("XE5")) {
    BOOST_TEST(chosen(open_flow(), std::nullopt) == "resource_required");
    BOOST_TEST(chosen(open_flow(), "") == "resource_required");
    for (const auto* bad :
         {"https://else.example/mcp", "https://tools.example.org", "mcp", " ",
          "https://tools.example.org/mcp/"})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(chosen(open_flow(), bad) == "invalid_target");
    BOOST_TEST(chosen(sample_flow(), notes) == "invalid_request");
    // A client of the operator's gets no scope that it was not given.
    auto limited = sample_client();
    limited.by_operator = true;
    limited.scope = "mcp";
    BOOST_TEST(chosen(open_flow("mcp", limited), notes, limited) == notes + ": mcp");
    limited.scope = "withdrawn";
    BOOST_TEST(chosen(open_flow("mcp", limited), notes, limited) == "invalid_scope");
}

BOOST_AUTO_TEST_CASE(
    no_identity_finishes_a_flow_without_a_resource_and_a_wrong_bearer_stays_an_error,
    *label("XE5") * label("S4")) {
    const auto submitted = [](const Flow& flow, const std::optional<BearerClaims>& bearer,
                              const std::optional<VirtualKey>& key) {
        return code_of(validate_submit_identity(flow, bearer, key, two_resources(), noon));
    };
    BearerClaims admin;
    admin.admin = true;
    BearerClaims named;
    named.virtual_key_id = VirtualKeyId("vk_sample");
    auto flow = open_flow();
    for (const auto kind :
         {IdentityKind::none, IdentityKind::skipped, IdentityKind::user_id,
          IdentityKind::verified_user}) {
        flow.identity = {kind, kind == IdentityKind::user_id ? "anna" : ""};
        BOOST_TEST(submitted(flow, std::nullopt, std::nullopt) == "resource_required");
        BOOST_TEST(submitted(flow, admin, std::nullopt) == "resource_required");
    }
    flow.identity = {};
    BOOST_TEST(submitted(flow, named, sample_virtual_key()) == "resource_required");
    BOOST_TEST(submitted(flow, named, std::nullopt) == "invalid_bearer");
    flow.resource = tools;
    BOOST_TEST(submitted(flow, named, sample_virtual_key()) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
