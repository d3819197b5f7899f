#include "consentgate/core/access/shared_facts.h"

#include "people.h"

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

using Groups = std::vector<std::string>;

const Person& anna() {
    static const auto one = *person("corp", "anna", {"all", "eng", "ops", "vpn"}).person;
    return one;
}

std::vector<Rule> some_rules() {
    return {
        rule(Effect::allow, "corp/group:eng", {}, 1),
        rule(Effect::deny, "any/group:vpn", {.scope = "mcp"}, 2),
        rule(Effect::allow, "other/group:ops", {}, 3),
        rule(Effect::allow, "corp/group:eng", {.resource = "https://r.example/"}, 4),
        rule(Effect::allow, "corp/group:boss", {}, 5),
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(shared_facts_of_people)

BOOST_AUTO_TEST_CASE(a_server_reads_the_groups_that_a_rule_names, *label("SI74")) {
    const AccessRules rules(some_rules(), {});
    const auto read = [&](SharedGroups groups) { return shared_facts(anna(), groups, rules); };
    // Another provider's group of that name is another group.
    BOOST_TEST((read(SharedGroups::named).groups == Groups{"eng", "vpn"}));
    BOOST_TEST((read(SharedGroups::all).groups == anna().groups));
    BOOST_TEST(!read(SharedGroups::none).groups.has_value());
    BOOST_TEST((shared_facts(anna(), SharedGroups::named, AccessRules()).groups == Groups{}));
    BOOST_TEST(read(SharedGroups::all).name == "anna");
    BOOST_TEST(read(SharedGroups::all).idp.text == "corp");
}

BOOST_AUTO_TEST_CASE(
    groups_that_are_unknown_or_too_many_are_left_out_whole, *label("SI74") * label("SI55")) {
    const AccessRules rules(some_rules(), {});
    auto person = anna();
    person.groups = {std::string(1000, 'a'), std::string(1047, 'b')};
    BOOST_TEST(shared_facts(person, SharedGroups::all, rules).groups->size() == 2U); // 2048 bytes
    person.groups.back() += 'b';
    BOOST_TEST(!shared_facts(person, SharedGroups::all, rules).groups.has_value());
    person.groups = {std::string(683, ',')}; // three bytes each in a header
    BOOST_TEST(!shared_facts(person, SharedGroups::all, rules).groups.has_value());
    person = anna();
    person.groups_known = false;
    for (const auto groups : {SharedGroups::named, SharedGroups::all, SharedGroups::none})
        BOOST_TEST(!shared_facts(person, groups, rules).groups.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
