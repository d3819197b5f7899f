// src/usecase/rights.cpp and access_question.cpp: `access test` and the gate about people, under
// random rules that name them by their groups, addresses and claims.
#include "dependencies_fixture.h"

#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/gate.h"

#include <algorithm>
#include <random>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Provider : DependenciesFixture {
    std::mt19937 dice{20261129};
    core::Person anna;
    core::Secret token;

    Provider() {
        core::IdentityProvider idp;
        idp.id = core::IdpId("corp");
        idp.title = "Corp";
        idp.issuer = "https://sso.example.org";
        idp.authorization_endpoint = idp.token_endpoint = idp.jwks_uri = idp.issuer;
        idp.client_id = "consentgate";
        idp.key_id = keyring.newest();
        idp.created_at = noon;
        BOOST_REQUIRE((store->idps.put(idp) == store::Applied::yes));
        anna.idp = idp.id;
        anna.issuer = idp.issuer;
        anna.subject = "anna";
        anna.id = core::person_id(anna.issuer, anna.subject);
        anna.name = "Anna";
        anna.first_signin = anna.last_signin = anna.checked_at = anna.snapshot_at = noon;
        anna.version = 1;
        token = token_of_anna();
        BOOST_REQUIRE_EQUAL(
            code_of(usecase::join_team(deps, "eng", {*core::Who::parse("corp/user:anna")}, noon)),
            "ok");
    }

    core::Secret token_of_anna() {
        const auto flow = begin();
        core::BrowserSignin signin;
        signin.id = core::SigninId("signin");
        signin.cookie = core::sha256("cookie");
        signin.person = anna.id;
        signin.idp = anna.idp;
        signin.signed_in_at = noon;
        signin.expires_at = noon + core::Span(3600);
        const store::FinishedSignin finished{
            .person = anna, .signin = signin, .flow = store->flows.find(flow)->flow};
        BOOST_REQUIRE((store->signins.finish(finished, noon) == store::Applied::yes));
        auto browser = person;
        browser.signed_in = store->signins.find(signin.cookie);
        const auto submitted = usecase::submit_consent(deps, {flow}, browser, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        const auto code = query_value(submitted->location.reveal(), "code");
        return grant(sample_exchange().with("code", code))->token;
    }

    bool one_in(unsigned many) { return dice() % many == 0; }
    const std::string& any_of(const std::vector<std::string>& texts) {
        return texts[dice() % texts.size()];
    }

    // The provider says something else of Anna.
    void say_something() {
        anna.groups.clear();
        for (const auto* group : {"eng", "ops", "eng,ops"})
            if (one_in(2)) anna.groups.emplace_back(group);
        anna.groups_known = !one_in(4);
        if (!anna.groups_known) anna.groups.clear();
        anna.email = any_of({"", "anna@example.org", "ANNA@Example.ORG", "anna@sub.example.org"});
        anna.claims.clear();
        if (one_in(2)) anna.claims = {{"hd", {any_of({"example.org", "example.net"})}}};
        BOOST_REQUIRE((store->people.renew(anna) == store::Applied::yes));
    }

    core::RuleFile some_rules() {
        const auto& resource = policy.resources.front();
        const std::vector<core::Target> targets{
            {},
            {.resource = resource.url},
            {.scope = "mcp"},
            {.resource = resource.url, .scope = "mcp"},
            {.resource = resource.url + "/below"}};
        core::RuleFile file{.open = !one_in(4)};
        for (auto left = dice() % 4; left > 0; --left)
            file.rules.push_back(
                {.effect = one_in(3) ? core::Effect::deny : core::Effect::allow,
                 .who = *core::Who::parse(any_of(
                     {"everyone",
                      "signed-in",
                      "unverified",
                      "keys",
                      "team:eng",
                      "team:ops",
                      "corp/everyone",
                      "shop/everyone",
                      "any/everyone",
                      "corp/user:anna",
                      "corp/user:ben",
                      "corp/group:eng",
                      "corp/group:ops",
                      "corp/group:eng,ops",
                      "shop/group:eng",
                      "any/group:eng",
                      "corp/email:anna@example.org",
                      "corp/email:*@example.org",
                      "shop/email:*@example.org",
                      "corp/claim:hd=example.org",
                      "remote/everyone"})),
                 .target = targets[dice() % targets.size()]});
        return file;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(rights_of_people, Provider)

BOOST_AUTO_TEST_CASE(
    access_test_answers_as_the_gate_does_about_a_person_of_whom_the_provider_says_anything,
    *label("SI69") * label("SI50") * label("SI55")) {
    const auto& resource = policy.resources.front();
    std::size_t yes = 0, no = 0, unknown = 0;
    for (int set = 0; set < 500; ++set) {
        say_something();
        const auto file = some_rules();
        BOOST_REQUIRE_EQUAL(code_of(usecase::apply_rules(deps, file, false, noon)), "ok");
        const auto found = usecase::find_somebody(deps, "corp/anna");
        BOOST_REQUIRE_EQUAL(found->size(), 1U);
        const auto answer = usecase::ask_access(
            deps, found->front(), {.resource = resource.url, .scopes = policy.scopes_of(resource)},
            noon);
        const bool passed = code_of(usecase::authorize_call(deps, resource, token, noon)) == "ok";
        const auto rules = core::rule_file(file.rules, *file.open);
        BOOST_TEST(answer.yes == passed, rules);
        BOOST_TEST(
            std::all_of(
                answer.steps.begin(), answer.steps.end(),
                [](const core::Step& step) { return step.verdict.yes; }) == passed,
            rules);
        ++(passed ? yes : no);
        unknown += passed && !anna.groups_known ? 1 : 0;
    }
    BOOST_TEST(yes > 100U);
    BOOST_TEST(no > 100U);
    BOOST_TEST(unknown > 10U);
}

BOOST_AUTO_TEST_SUITE_END()
