#include "consentgate/core/access/proof.h"

#include "people.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::Effect;
using core::Span;

namespace {

const std::string mcp = "https://a.example/mcp";
const core::Instant noon = core::from_epoch(1'800'000'000);

core::BrowserSignin signed_in(Span ago, const std::string& acr = "") {
    core::BrowserSignin signin;
    signin.signed_in_at = noon;
    signin.auth_time = noon - ago;
    signin.acr = acr;
    return signin;
}

core::DemandedProof demanded(
    const std::vector<core::Rule>& rules, const std::string& resource, const std::string& scope) {
    core::Policy policy;
    return core::demanded_proof(
        core::AccessRules(rules, {}), resource, *core::ScopeSet::parse(scope), policy);
}

} // namespace

BOOST_AUTO_TEST_SUITE(access_proof)

BOOST_AUTO_TEST_CASE(the_shortest_time_counts_of_what_the_session_would_hold, *label("SI31")) {
    const std::vector<core::Rule> rules{
        proof(Effect::fresh, "60", {.resource = mcp}),
        proof(Effect::fresh, "5", {.resource = mcp, .scope = "write"}, 2),
        proof(Effect::fresh, "1", {.resource = mcp, .scope = "delete"}, 3)};
    BOOST_TEST(demanded(rules, mcp, "read").max_age->count() == 3600);
    BOOST_TEST(demanded(rules, mcp, "read write").max_age->count() == 300);
    BOOST_TEST(demanded(rules, "https://b.example/mcp", "read write").empty());
    BOOST_TEST(demanded({}, mcp, "read").empty());
}

BOOST_AUTO_TEST_CASE(a_proof_is_young_enough_to_the_second, *label("SI31")) {
    const core::DemandedProof hour{.max_age = Span(3600)};
    BOOST_TEST(core::fulfils(signed_in(Span(3600)), hour, noon));
    BOOST_TEST(!core::fulfils(signed_in(Span(3601)), hour, noon));
    BOOST_TEST(core::fulfils(signed_in(Span(99999)), {}, noon));
    auto unsaid = signed_in(Span(0));
    unsaid.auth_time.reset();
    BOOST_TEST(!core::fulfils(unsaid, hour, noon));
    BOOST_TEST(core::fulfils(unsaid, {}, noon));
}

BOOST_AUTO_TEST_CASE(one_acr_of_each_target_is_needed, *label("SI31")) {
    const std::vector<core::Rule> rules{
        proof(Effect::acr, "mfa", {.resource = mcp}),
        proof(Effect::acr, "key", {.resource = mcp}, 2),
        proof(Effect::acr, "key", {.resource = mcp, .scope = "write"}, 3)};
    const auto read = demanded(rules, mcp, "read"), write = demanded(rules, mcp, "read write");
    for (const auto* acr : {"mfa", "key"})
        BOOST_TEST(core::fulfils(signed_in(Span(0), acr), read, noon), acr);
    for (const auto* acr : {"", "password", "MFA", "mfa key"})
        BOOST_TEST(!core::fulfils(signed_in(Span(0), acr), read, noon), acr);
    BOOST_TEST(!core::fulfils(signed_in(Span(0), "mfa"), write, noon));
    BOOST_TEST(core::fulfils(signed_in(Span(0), "key"), write, noon));
    BOOST_TEST((read.acr_values() == std::vector<std::string>{"mfa", "key"}));
    BOOST_TEST((write.acr_values() == std::vector<std::string>{"key"}), "mfa would not do");
    BOOST_TEST(!write.is_impossible());
}

BOOST_AUTO_TEST_CASE(lists_without_a_common_acr_are_fulfilled_by_nobody, *label("SI31")) {
    const std::vector<core::Rule> rules{
        proof(Effect::acr, "mfa", {.resource = mcp}),
        proof(Effect::acr, "key", {.resource = mcp, .scope = "write"}, 2)};
    BOOST_TEST(demanded(rules, mcp, "read write").is_impossible());
    BOOST_TEST(!demanded(rules, mcp, "read").is_impossible());
    BOOST_TEST(!demanded({}, mcp, "read").is_impossible());
}

BOOST_AUTO_TEST_CASE(a_rule_about_a_proof_lets_nobody_in_and_keeps_nobody_out, *label("SI31")) {
    const core::AccessRules rules({proof(Effect::fresh, "5", {.resource = mcp})}, {});
    const auto anna = person("corp", "anna");
    const auto verdict = rules.decide({.resource = mcp}, anna.subject());
    BOOST_TEST(verdict.yes);
    BOOST_TEST((verdict.reason == core::Verdict::Reason::by_default));
    const core::AccessRules closed({proof(Effect::fresh, "5", {.resource = mcp})}, {}, false);
    BOOST_TEST(!closed.decide({.resource = mcp}, anna.subject()).yes);
}

BOOST_AUTO_TEST_CASE(minutes_and_acr_have_bounds, *label("SI31")) {
    for (const auto* good : {"1", "43200"}) BOOST_TEST(!!core::check_proof(Effect::fresh, good));
    for (const auto* bad : {"", "0", "43201", "05", "5m", "-1", "99999999999"})
        BOOST_TEST(!core::check_proof(Effect::fresh, bad), bad);
    BOOST_TEST(!!core::check_proof(Effect::acr, "urn:mace:incommon:iap:silver"));
    for (const auto& bad :
         {std::string(), std::string("a b"), std::string("\xC3\xA9"), std::string(201, 'a')})
        BOOST_TEST(!core::check_proof(Effect::acr, bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
