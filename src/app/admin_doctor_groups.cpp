// The doctor's questions about groups: whether a provider says any, and whether rules spell them as
// it does.
// spec: docs/requirements_signin.md SI13
#include "admin.h"
#include "near_words.h"

#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/people.h"

#include <algorithm>
#include <set>

namespace consentgate::app::admin {
namespace {

constexpr std::size_t looked_at = 20; // sign-ins

// The rules that are about groups of this provider.
std::vector<core::Rule> rules_of(const store::AccessRecords& records, const core::IdpId& idp) {
    std::vector<core::Rule> rules;
    for (const auto& rule : records.rules)
        if (rule.who.kind == core::WhoKind::group &&
            (rule.who.realm == idp.text || rule.who.realm == core::any_realm))
            rules.push_back(rule);
    return rules;
}

std::string last_part(const std::string& group) {
    return group.substr(group.find_last_of('/') + 1); // the whole where there is none
}

// Keycloak and GitLab spell a group with its path.
std::string other_spelling(const std::string& group, const std::vector<std::string>& known) {
    for (const auto& one : known)
        if (last_part(one) == last_part(group)) return "; did you mean " + one + "?";
    return did_you_mean(group, known);
}

std::vector<Finding> look_at(
    const core::IdentityProvider& idp, const std::vector<core::Rule>& rules,
    const std::vector<core::Person>& latest, const std::set<std::string>& groups) {
    const auto what = "the identity provider " + idp.id.text;
    if (std::none_of(
            latest.begin(), latest.end(), [](const auto& one) { return !one.groups.empty(); }))
        return {
            {Verdict::broken,
             what + " named no group in the last " + std::to_string(latest.size()) +
                 (latest.size() == 1 ? " sign-in" : " sign-ins") + ", and rules name groups",
             "let it send groups, and see with consentgate-admin idp try " + idp.id.text +
                 " in which claim they come"}};
    std::vector<Finding> findings;
    const std::vector<std::string> known(groups.begin(), groups.end());
    for (const auto& rule : rules) {
        if (groups.contains(rule.who.name)) continue;
        findings.push_back(
            {Verdict::note, "rule " + std::to_string(rule.number) + " names the group " +
                                rule.who.name + ", and nobody of " + idp.id.text + " is in it" +
                                other_spelling(rule.who.name, known)});
    }
    if (findings.empty())
        findings.push_back({Verdict::ok, what + " names the groups that rules name"});
    return findings;
}

} // namespace

std::vector<Finding> find_groups(Context& context, const core::IdentityProvider& idp) {
    const auto rules = rules_of(usecase::read_access(context.deps()), idp.id);
    if (rules.empty()) return {};
    const auto latest = usecase::list_latest_people(context.deps(), idp.id, looked_at);
    if (latest.empty()) return {}; // nobody has signed in yet
    std::set<std::string> groups;
    for (const auto& person : usecase::list_people(context.deps(), {.idp = idp.id}, 1'000'000))
        groups.insert(person.groups.begin(), person.groups.end());
    return look_at(idp, rules, latest, groups);
}

} // namespace consentgate::app::admin
