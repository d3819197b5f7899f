#include "consentgate/core/access/permission.h"

#include "people.h"

#include "consentgate/core/access/explanation.h"
#include "tests/support/samples.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::AccessRules;
using core::Effect;
using core::ErrorCode;
using core::Rule;

namespace {

const std::string mcp = "https://a.example/mcp";

// admin holds delete, and delete holds write.
core::Policy policy_of_scopes() {
    core::Policy policy;
    policy.issuer = "https://a.example";
    policy.scopes = {{"read", ""}, {"write", ""}, {"delete", ""}, {"admin", ""}};
    policy.implications = {{"admin", scopes("delete read")}, {"delete", scopes("write")}};
    return policy;
}

std::string permitted(const AccessRules& rules, const Somebody& one, const char* granted) {
    return core::permitted_scope(rules, one.subject(), mcp, scopes(granted), policy_of_scopes())
        .text();
}

} // namespace

BOOST_AUTO_TEST_SUITE(access_permission)

BOOST_AUTO_TEST_CASE(signing_in_and_the_resource_must_both_be_allowed, *label("SI64")) {
    const auto anna = key_holder();
    const AccessRules none;
    const AccessRules no_signin({rule(Effect::deny, "keys")}, {});
    const AccessRules no_resource({rule(Effect::deny, "keys", {.resource = mcp})}, {});
    BOOST_TEST(static_cast<bool>(core::check_resource(none, anna.subject(), mcp)));
    const auto refused = core::check_resource(no_signin, anna.subject(), mcp);
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::access_refused));
    BOOST_TEST(refused.error().param.empty());
    BOOST_TEST(static_cast<bool>(core::check_sign_in(no_resource, anna.subject())));
    const auto elsewhere = core::check_resource(no_resource, anna.subject(), mcp);
    BOOST_REQUIRE(!elsewhere);
    BOOST_TEST(elsewhere.error().param == "resource");
    BOOST_TEST(elsewhere.error().reason.find("rule 1: deny keys") != std::string::npos);
    BOOST_TEST(static_cast<bool>(
        core::check_resource(no_resource, anna.subject(), "https://a.example/mcp/sub")));
}

BOOST_AUTO_TEST_CASE(who_may_not_have_a_scope_gets_none_that_implies_it, *label("SA32")) {
    const auto anna = key_holder();
    const AccessRules none;
    const AccessRules no_write({rule(Effect::deny, "keys", {.scope = "write"})}, {});
    const AccessRules no_admin_there(
        {rule(Effect::deny, "keys", {.resource = mcp, .scope = "admin"})}, {});
    BOOST_TEST(permitted(none, anna, "read admin") == "read admin");
    BOOST_TEST(permitted(no_write, anna, "read admin") == "read");
    BOOST_TEST(permitted(no_write, anna, "admin") == "read"); // what it implied stands for itself
    BOOST_TEST(permitted(no_write, anna, "delete") == "");
    BOOST_TEST(permitted(no_write, skipped(), "read admin") == "read admin");
    BOOST_TEST(permitted(no_admin_there, anna, "admin") == "delete read write");
    const auto policy = policy_of_scopes();
    BOOST_TEST(!core::check_needed_scope(no_write, anna.subject(), mcp, scopes("delete"), policy));
    BOOST_TEST(!core::check_needed_scope(no_write, anna.subject(), mcp, scopes("write"), policy));
    BOOST_TEST(static_cast<bool>(
        core::check_needed_scope(no_write, anna.subject(), mcp, scopes("read"), policy)));
    BOOST_TEST(static_cast<bool>(core::check_needed_scope(
        no_admin_there, anna.subject(), "https://a.example/other", scopes("admin"), policy)));
}

BOOST_AUTO_TEST_CASE(an_explanation_says_yes_exactly_when_the_doors_do, *label("SI69")) {
    const auto policy = policy_of_scopes();
    const std::vector<core::Target> targets{
        {},
        {.resource = mcp},
        {.scope = "write"},
        {.resource = mcp, .scope = "read"},
        {.service = "notion"}};
    const std::vector<Somebody> people{
        key_holder(), typed("anna"), person("corp", "anna", {"eng"}, "anna@example.org")};
    std::size_t yes = 0, all = 0;
    for (const auto& first : targets)
        for (const auto& second : targets)
            for (const auto* text : {"keys", "corp/group:eng", "corp/group:ops", "everyone"}) {
                const AccessRules rules(
                    {rule(Effect::allow, text, first, 1), rule(Effect::deny, "keys", second, 2)},
                    {});
                for (const auto& one : people) {
                    const auto steps = core::explain(
                        rules, one.subject(),
                        {.resource = mcp, .scopes = scopes("delete read"), .service = "notion"},
                        policy);
                    const bool explained =
                        std::all_of(steps.begin(), steps.end(), [](const core::Step& step) {
                            return step.verdict.yes;
                        });
                    const bool allowed =
                        core::check_resource(rules, one.subject(), mcp) &&
                        core::check_needed_scope(
                            rules, one.subject(), mcp, scopes("delete read"), policy) &&
                        core::check_service(rules, one.subject(), "notion");
                    BOOST_TEST(explained == allowed);
                    for (const auto& step : steps)
                        BOOST_TEST(step.help.empty() == step.verdict.yes);
                    yes += allowed ? 1 : 0;
                    ++all;
                }
            }
    BOOST_TEST(yes > all / 8);
    BOOST_TEST(yes < all);
}

BOOST_AUTO_TEST_CASE(an_explanation_names_what_would_help, *label("SI69")) {
    const AccessRules rules(
        {rule(Effect::allow, "corp/email:*@example.org", {}, 3),
         rule(Effect::allow, "corp/group:ops", {.resource = mcp}, 5)},
        {});
    const auto anna = person("corp", "anna", {"all", "eng"}, "anna@example.org");
    const auto steps = core::explain(rules, anna.subject(), {.resource = mcp}, policy_of_scopes());
    BOOST_REQUIRE_EQUAL(steps.size(), 2U);
    BOOST_TEST(steps[0].verdict.yes);
    BOOST_TEST(steps[0].why == "rule 3   allow corp/email:*@example.org");
    BOOST_TEST(!steps[1].verdict.yes);
    BOOST_TEST(steps[1].why == "no allow matches; rule 5 allows corp/group:ops");
    BOOST_REQUIRE_EQUAL(steps[1].help.size(), 1U);
    BOOST_TEST(steps[1].help[0] == "it would help to be in group ops at corp (rule 5)");
}

BOOST_AUTO_TEST_CASE(a_refusal_for_unknown_groups_says_so, *label("SI55")) {
    auto anna = person("corp", "anna");
    anna.person->groups_known = false;
    const AccessRules rules({rule(Effect::allow, "corp/group:eng")}, {});
    const auto refused = core::check_sign_in(rules, anna.subject());
    BOOST_REQUIRE(!refused);
    BOOST_REQUIRE(refused.error().find<core::RefusedAccount>() != nullptr);
    BOOST_TEST(refused.error().find<core::RefusedAccount>()->groups_unknown);
}

BOOST_AUTO_TEST_SUITE_END()
