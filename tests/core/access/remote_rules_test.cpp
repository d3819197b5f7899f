// src/core/access/rules.cpp, for people whom the web server signs in.
#include "consentgate/core/access/rules.h"

#include "people.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::AccessRules;
using core::Effect;
using core::Match;

BOOST_AUTO_TEST_SUITE(remote_rules)

BOOST_AUTO_TEST_CASE(groups_of_the_web_server_are_of_no_provider, *label("SI12") * label("SA14")) {
    auto anna = remote("anna");
    const AccessRules rules;
    const auto match = [&](const char* text) { return rules.matches(who(text), anna.subject()); };
    BOOST_TEST((match("remote/group:eng") == Match::unknown), "nothing was said of her");
    core::Person said;
    said.idp = core::IdpId("remote");
    said.subject = "anna";
    said.groups = {"eng"};
    anna.person = said;
    BOOST_TEST((match("remote/group:eng") == Match::yes));
    BOOST_TEST((match("remote/group:ops") == Match::no));
    for (const auto* text : {"corp/group:eng", "any/group:eng", "any/everyone", "corp/everyone"})
        BOOST_TEST((match(text) == Match::no), text);
    BOOST_TEST(
        (rules.matches(who("remote/group:eng"), person("corp", "anna", {"eng"}).subject()) ==
         Match::no));
    // As the index decides it.
    const core::Target target{.resource = "https://a.example/mcp"};
    for (const auto* text : {"remote/group:eng", "any/group:eng"}) {
        const AccessRules allows({rule(Effect::allow, text, target)}, {});
        BOOST_TEST(allows.decide(target, anna.subject()).yes == (text[0] == 'r'), text);
    }
    const AccessRules denies({rule(Effect::deny, "remote/group:eng", target)}, {});
    BOOST_TEST(!denies.decide(target, anna.subject()).yes);
    BOOST_TEST(!denies.decide(target, remote("ben").subject()).yes, "unknown is not none");
    BOOST_TEST(denies.decide(target, key_holder().subject()).yes);
}

BOOST_AUTO_TEST_SUITE_END()
