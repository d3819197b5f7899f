#include "consentgate/core/access/rules.h"

#include "people.h"

#include <algorithm>
#include <random>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::AccessRules;
using core::Effect;
using core::Match;
using core::Rule;
using core::Verdict;

BOOST_AUTO_TEST_SUITE(access_rules)

BOOST_AUTO_TEST_CASE(a_who_is_read_and_written_alike, *label("SI63")) {
    for (const auto* text :
         {"everyone", "signed-in", "unverified", "keys", "key:vk_Zk3v9QkqT0aXb1", "team:eng-1",
          "remote/user:anna", "remote/everyone", "corp/everyone", "corp/user:248289761001",
          "corp/group:Domain Users", "corp/group:/eng/ops", "any/group:a,admin",
          "google/email:anna@example.org", "google/email:*@example.org",
          "google/claim:hd=example.org", "corp/claim:level=a=b", "group:eng", "user:ANNA"})
        BOOST_TEST(who(text).text() == text);
    BOOST_TEST(who("corp/email:ANNA@Example.ORG").text() == "corp/email:anna@example.org");
}

BOOST_AUTO_TEST_CASE(a_who_that_could_mean_something_else_is_refused, *label("SI63")) {
    for (const auto* text :
         {"",
          "Everyone",
          "anna",
          "key:",
          "team:",
          "team:Eng",
          "team:a b",
          "corp/",
          "corp/anna",
          "Corp/everyone",
          "corp/group:",
          "corp/group:a\nb",
          "corp/email:anna",
          "corp/email:*@",
          "corp/email:an*@example.org",
          "corp/email:*@*",
          "corp/email:a@b@c",
          "corp/email:\xC3\xA4nna@example.org",
          "corp/email:*@sub.*.org",
          "corp/claim:hd",
          "corp/claim:=x",
          "corp/claim:hd=",
          "remote/claim:a=b",
          "remote/email:a@b.c",
          "corp/key:vk_1",
          "corp/team:eng",
          "*",
          "any"})
        BOOST_TEST(!core::Who::parse(text), text);
}

BOOST_AUTO_TEST_CASE(each_who_names_those_it_says_and_nobody_else, *label("SI63") * label("SI48")) {
    const auto anna = person("corp", "anna", {"all", "eng"}, "anna@Example.ORG");
    const auto other = person("shop", "anna", {"all", "eng"}, "anna@example.org");
    const AccessRules rules(
        {}, {{.team = "t", .who = who("corp/user:anna")},
             {.team = "t", .who = who("key:vk_anna")},
             {.team = "mail", .who = who("shop/email:anna@example.org")}});
    struct Row {
        const char* who;
        std::vector<bool> named; // of those below
    };
    const std::vector<Somebody> all{
        anna, other, key_holder(), key_holder("vk_ben"), remote("anna"), typed("anna"), skipped()};
    const std::vector<Row> rows{
        {"everyone", {true, true, true, true, true, true, true}},
        {"signed-in", {true, true, false, false, true, false, false}},
        {"unverified", {false, false, false, false, false, true, true}},
        {"keys", {false, false, true, true, false, false, false}},
        {"key:vk_anna", {false, false, true, false, false, false, false}},
        {"team:t", {true, false, true, false, false, false, false}},
        {"team:mail", {false, true, false, false, false, false, false}},
        {"team:nobody", {false, false, false, false, false, false, false}},
        {"remote/user:anna", {false, false, false, false, true, false, false}},
        {"remote/everyone", {false, false, false, false, true, false, false}},
        {"corp/everyone", {true, false, false, false, false, false, false}},
        {"any/everyone", {true, true, false, false, false, false, false}},
        {"corp/user:anna", {true, false, false, false, false, false, false}},
        {"corp/user:Anna", {false, false, false, false, false, false, false}},
        {"corp/group:eng", {true, false, false, false, false, false, false}},
        {"corp/group:Eng", {false, false, false, false, false, false, false}},
        {"any/group:eng", {true, true, false, false, false, false, false}},
        {"corp/email:anna@example.org", {true, false, false, false, false, false, false}},
        {"shop/email:*@example.org", {false, true, false, false, false, false, false}},
        {"group:eng", {false, false, false, false, false, false, false}}, // no realm, nobody
    };
    for (const auto& row : rows)
        for (std::size_t at = 0; at < all.size(); ++at)
            BOOST_TEST(
                (rules.matches(who(row.who), all[at].subject()) == Match::yes) == row.named[at],
                row.who << " and " << at);
}

BOOST_AUTO_TEST_CASE(an_address_counts_as_a_whole, *label("SI54") * label("SA13")) {
    const AccessRules rules;
    const auto matches = [&](const std::string& email, const char* text) {
        return rules.matches(who(text), person("corp", "x", {}, email).subject()) == Match::yes;
    };
    BOOST_TEST(matches("ANNA@Example.ORG", "corp/email:*@example.org"));
    BOOST_TEST(!matches("x@sub.example.org", "corp/email:*@example.org"));
    BOOST_TEST(!matches("x@notexample.org", "corp/email:*@example.org"));
    BOOST_TEST(!matches("x@ex\xC3\xA4mple.org", "corp/email:*@example.org"));
    BOOST_TEST(!matches("@example.org", "corp/email:*@example.org"));
    BOOST_TEST(!matches("", "corp/email:boss@example.org")); // one that does not count
    BOOST_TEST(!matches("", "corp/email:*@example.org"));
}

BOOST_AUTO_TEST_CASE(a_group_is_matched_byte_for_byte, *label("SI53") * label("SA14")) {
    const AccessRules rules;
    const auto anna = person("corp", "anna", {"a,admin"});
    BOOST_TEST((rules.matches(who("corp/group:a,admin"), anna.subject()) == Match::yes));
    BOOST_TEST((rules.matches(who("corp/group:admin"), anna.subject()) == Match::no));
    BOOST_TEST((rules.matches(who("corp/group:a"), anna.subject()) == Match::no));
}

BOOST_AUTO_TEST_CASE(a_claim_has_one_of_its_values) {
    const AccessRules rules;
    auto anna = person("corp", "anna");
    anna.person->claims = {{"hd", {"example.org", "example.net"}}, {"level", {}}};
    BOOST_TEST((rules.matches(who("corp/claim:hd=example.net"), anna.subject()) == Match::yes));
    BOOST_TEST((rules.matches(who("corp/claim:hd=example"), anna.subject()) == Match::no));
    BOOST_TEST((rules.matches(who("corp/claim:level=1"), anna.subject()) == Match::no));
    BOOST_TEST((rules.matches(who("shop/claim:hd=example.org"), anna.subject()) == Match::no));
}

BOOST_AUTO_TEST_CASE(one_target_is_decided_by_deny_then_allow_then_the_default, *label("SI64")) {
    using enum Verdict::Reason;
    // Every combination, written down.
    for (unsigned bits = 0; bits < 32; ++bits) {
        const bool allow_other = bits & 1U, allow_me = bits & 2U, deny_other = bits & 4U,
                   deny_me = bits & 8U, open = bits & 16U;
        const auto expected = deny_me       ? denied
                              : allow_me    ? allowed
                              : allow_other ? none_matches
                                            : by_default;
        std::vector<Rule> rules;
        if (allow_other) rules.push_back(rule(Effect::allow, "key:vk_ben", {}, 1));
        if (allow_me) rules.push_back(rule(Effect::allow, "key:vk_anna", {}, 2));
        if (deny_other) rules.push_back(rule(Effect::deny, "key:vk_ben", {}, 3));
        if (deny_me) rules.push_back(rule(Effect::deny, "key:vk_anna", {}, 4));
        const auto anna = key_holder();
        do {
            const AccessRules set(rules, {}, open);
            const auto verdict = set.decide({}, anna.subject());
            BOOST_TEST((verdict.reason == expected), "bits " << bits);
            BOOST_TEST(
                verdict.yes == (expected == allowed || (expected == by_default && open)),
                "bits " << bits);
        } while (
            std::next_permutation(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
                return a.number < b.number;
            }));
    }
}

BOOST_AUTO_TEST_CASE(a_rule_is_about_its_own_target_alone, *label("SI64")) {
    const core::Target targets[] = {
        {},
        {.resource = "https://a.example/mcp"},
        {.resource = "https://b.example/mcp"},
        {.scope = "read"},
        {.resource = "https://a.example/mcp", .scope = "read"},
        {.service = "notion"}};
    const auto anna = key_holder();
    for (const auto& denied : targets) {
        const AccessRules rules({rule(Effect::deny, "keys", denied)}, {});
        for (const auto& asked : targets)
            BOOST_TEST(rules.decide(asked, anna.subject()).yes == (asked != denied));
    }
}

BOOST_AUTO_TEST_CASE(the_default_closes_doors_and_not_what_lies_behind_them, *label("SI64")) {
    const AccessRules rules({}, {}, false);
    const auto anna = key_holder();
    BOOST_TEST(!rules.decide({}, anna.subject()).yes);
    BOOST_TEST(!rules.decide({.resource = "https://a.example/mcp"}, anna.subject()).yes);
    BOOST_TEST(rules.decide({.scope = "read"}, anna.subject()).yes);
    BOOST_TEST(rules.decide({.service = "notion"}, anna.subject()).yes);
}

BOOST_AUTO_TEST_CASE(unknown_groups_open_nothing_and_close_what_a_deny_names, *label("SI55")) {
    auto anna = person("corp", "anna");
    anna.person->groups_known = false;
    const core::Target target{.resource = "https://a.example/mcp"};
    const AccessRules allows({rule(Effect::allow, "corp/group:eng", target)}, {});
    const AccessRules denies({rule(Effect::deny, "corp/group:eng", target)}, {});
    const AccessRules elsewhere({rule(Effect::deny, "shop/group:eng", target)}, {});
    const AccessRules otherwise(
        {rule(Effect::allow, "corp/group:eng", target),
         rule(Effect::allow, "corp/user:anna", target, 2)},
        {});
    BOOST_TEST(!allows.decide(target, anna.subject()).yes);
    BOOST_TEST(allows.decide(target, anna.subject()).groups_unknown);
    BOOST_TEST(!denies.decide(target, anna.subject()).yes);
    BOOST_TEST(denies.decide(target, anna.subject()).groups_unknown);
    BOOST_TEST(elsewhere.decide(target, anna.subject()).yes);
    BOOST_TEST(otherwise.decide(target, anna.subject()).yes);
    anna.person->groups_known = true; // and there are none
    BOOST_TEST(denies.decide(target, anna.subject()).yes);
    BOOST_TEST(!allows.decide(target, anna.subject()).groups_unknown);
}

BOOST_AUTO_TEST_CASE(a_person_of_whom_nothing_is_known_is_met_by_every_deny) {
    auto anna = person("corp", "anna");
    anna.person.reset();
    const AccessRules denies({rule(Effect::deny, "corp/user:ben")}, {});
    const AccessRules allows({rule(Effect::allow, "corp/everyone")}, {});
    BOOST_TEST(!denies.decide({}, anna.subject()).yes);
    BOOST_TEST(!allows.decide({}, anna.subject()).yes);
}

BOOST_AUTO_TEST_CASE(a_remote_user_never_is_a_person, *label("SA29")) {
    const auto anna = person("corp", "anna");
    const AccessRules rules;
    for (const auto& name :
         {anna.person->id.text, std::string("user:") + anna.person->id.text,
          std::string("https://corp.example.org anna"), std::string("anna")}) {
        BOOST_TEST((rules.matches(who("corp/user:anna"), remote(name).subject()) == Match::no));
        BOOST_TEST((rules.matches(who("corp/everyone"), remote(name).subject()) == Match::no));
        BOOST_TEST((rules.matches(who("corp/user:anna"), typed(name).subject()) == Match::no));
    }
    BOOST_TEST((rules.matches(who("remote/everyone"), anna.subject()) == Match::no));
}

namespace {

// Decides in another way: it asks for every rule in turn, in words, and knows no index.
class SlowRules {
public:
    SlowRules(
        const std::vector<Rule>& rules, const std::vector<core::TeamMember>& members, bool open)
        : rules_(rules), members_(members), open_(open) {}

    bool allows(const core::Target& target, const Somebody& one) const {
        bool some_allow = false, allowed = false;
        for (const auto& rule : rules_) {
            if (rule.target.resource != target.resource || rule.target.scope != target.scope ||
                rule.target.service != target.service)
                continue;
            const int names = named(rule.who.text(), one); // 0 no, 1 yes, 2 perhaps
            if (rule.effect == Effect::deny && names != 0) return false;
            some_allow = some_allow || rule.effect == Effect::allow;
            allowed = allowed || (rule.effect == Effect::allow && names == 1);
        }
        if (some_allow) return allowed;
        return open_ || !target.scope.empty() || !target.service.empty();
    }

private:
    int named(const std::string& text, const Somebody& one) const {
        const auto& [identity, person] = one;
        const bool key = identity.kind == core::IdentityKind::virtual_key;
        const bool verified = identity.kind == core::IdentityKind::verified_user;
        if (text == "everyone") return 1;
        if (text == "signed-in") return verified;
        if (text == "unverified") return !key && !verified;
        if (text == "keys") return key;
        if (text.starts_with("key:")) return key && "key:" + identity.value == text;
        if (text.starts_with("team:")) {
            for (const auto& member : members_)
                if ("team:" + member.team == text && named(member.who.text(), one) == 1) return 1;
            return 0;
        }
        const auto realm = text.substr(0, text.find('/')), rest = text.substr(realm.size() + 1);
        if (realm == "remote")
            return verified && !person && (rest == "everyone" || rest == "user:" + identity.value);
        if (!person || (realm != "any" && realm != person->idp.text)) return 0;
        if (rest == "everyone" || rest == "user:" + person->subject) return 1;
        if (rest.starts_with("group:")) {
            if (!person->groups_known) return 2;
            return std::count(person->groups.begin(), person->groups.end(), rest.substr(6)) > 0;
        }
        if (rest.starts_with("email:*@"))
            return person->email.find("@" + rest.substr(8)) != std::string::npos;
        return !person->email.empty() && rest == "email:" + person->email;
    }

    const std::vector<Rule>& rules_;
    const std::vector<core::TeamMember>& members_;
    bool open_;
};

const std::vector<std::string> some_whos{
    "everyone",
    "signed-in",
    "unverified",
    "keys",
    "key:vk_anna",
    "key:vk_ben",
    "team:a",
    "team:b",
    "remote/user:ina",
    "remote/everyone",
    "corp/everyone",
    "any/everyone",
    "corp/user:anna",
    "any/user:ben",
    "corp/group:eng",
    "shop/group:eng",
    "any/group:ops",
    "corp/email:a@x.io",
    "shop/email:*@x.io",
    "any/email:b@y.io",
};
const std::vector<std::string> some_members{
    "key:vk_anna", "remote/user:ina", "corp/user:anna", "shop/email:a@x.io", "any/user:ben"};
const std::vector<core::Target> some_targets{
    {},
    {.resource = "https://a.example/mcp"},
    {.scope = "read"},
    {.resource = "https://a.example/mcp", .scope = "read"},
    {.service = "notion"}};

std::vector<Somebody> some_people() {
    std::vector<Somebody> all{
        key_holder("vk_anna"),
        key_holder("vk_ben"),
        key_holder("vk_cleo"),
        typed("vk_anna"),
        skipped(),
        remote("ina"),
        remote("anna"),
        person("corp", "anna", {"all", "eng"}, "a@x.io"),
        person("shop", "anna", {"eng"}, "a@x.io"),
        person("shop", "ben", {"ops"}, "b@y.io"),
        person("corp", "ben")};
    auto unknown = person("corp", "dora", {}, "d@x.io");
    unknown.person->groups_known = false;
    all.push_back(std::move(unknown));
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(
    five_hundred_random_rule_sets_are_decided_as_a_slow_reader_would, *label("SI64")) {
    std::mt19937 random(20261128);
    const auto any_of = [&](const auto& list) -> const auto& {
        return list[std::uniform_int_distribution<std::size_t>(0, list.size() - 1)(random)];
    };
    std::size_t yes = 0, no = 0;
    for (int set = 0; set < 500; ++set) {
        std::vector<Rule> rules;
        std::vector<core::TeamMember> members;
        const auto count = random() % 9;
        for (std::int64_t number = 1; number <= static_cast<std::int64_t>(count); ++number)
            rules.push_back(rule(
                random() % 3 == 0 ? Effect::deny : Effect::allow, any_of(some_whos),
                any_of(some_targets), number));
        for (auto left = random() % 4; left > 0; --left)
            members.push_back(
                {.team = random() % 2 == 0 ? "a" : "b", .who = who(any_of(some_members))});
        const bool open = random() % 2 == 0;
        const AccessRules fast(rules, members, open);
        const SlowRules slow(rules, members, open);
        for (const auto& one : some_people()) {
            for (const auto& target : some_targets) {
                const bool allowed = fast.decide(target, one.subject()).yes;
                ++(allowed ? yes : no);
                BOOST_TEST(
                    allowed == slow.allows(target, one), "set " << set << ", " << one.identity.value
                                                                << ", " << target.resource << " "
                                                                << target.scope << target.service);
            }
        }
    }
    BOOST_TEST(yes > 5000U); // both answers are met often
    BOOST_TEST(no > 5000U);
}

BOOST_AUTO_TEST_SUITE_END()
