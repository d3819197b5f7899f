#include "consentgate/core/access/rules.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace consentgate::core {
namespace {

Match yes_if(bool matches) { return matches ? Match::yes : Match::no; }

bool holds(const std::vector<std::string>& sorted, const std::string& text) {
    return std::binary_search(sorted.begin(), sorted.end(), text);
}

// The web server is no identity provider, so `any` does not mean its people.
bool is_of_realm(const Who& who, const Person& person) {
    if (who.realm == any_realm) return person.idp.text != remote_realm;
    return who.realm == person.idp.text;
}

// The rule's domain is ASCII, so that letters of other alphabets never match.
bool is_of_domain(const Person& person, std::string_view domain) {
    const std::string_view email = person.email;
    const auto at = email.rfind('@');
    return at != email.npos && at > 0 && same_ignoring_case(email.substr(at + 1), domain);
}

bool has_claim(const Person& person, const Who& who) {
    for (const auto& [name, values] : person.claims)
        if (name == who.name && std::find(values.begin(), values.end(), who.value) != values.end())
            return true;
    return false;
}

Match match_person(const Who& who, const Person& person) {
    if (!is_of_realm(who, person)) return Match::no;
    switch (who.kind) {
    case WhoKind::members: return Match::yes;
    case WhoKind::user: return yes_if(person.subject == who.name);
    case WhoKind::group:
        if (!person.groups_known) return Match::unknown;
        return yes_if(holds(person.groups, who.name));
    case WhoKind::email: return yes_if(same_ignoring_case(person.email, who.name));
    case WhoKind::domain: return yes_if(is_of_domain(person, who.name));
    case WhoKind::claim: return yes_if(has_claim(person, who));
    case WhoKind::everyone:
    case WhoKind::signed_in:
    case WhoKind::unverified:
    case WhoKind::keys:
    case WhoKind::key:
    case WhoKind::team: break;
    }
    return Match::no;
}

// A name from the web server.
Match match_remote(const Who& who, const Subject& subject) {
    if (who.realm != remote_realm) return Match::no;
    if (who.kind == WhoKind::members) return Match::yes;
    if (who.kind == WhoKind::user) return yes_if(subject.identity.value == who.name);
    if (who.kind != WhoKind::group) return Match::no;
    return subject.person == nullptr ? Match::unknown : match_person(who, *subject.person);
}

Match match_of_realm(const Who& who, const Subject& subject) {
    if (!subject.identity.is_verified()) return Match::no;
    if (!subject.identity.is_person()) return match_remote(who, subject);
    return subject.person == nullptr ? Match::unknown : match_person(who, *subject.person);
}

void sort_by_group(std::vector<const Rule*>& rules) {
    std::stable_sort(rules.begin(), rules.end(), [](const Rule* a, const Rule* b) {
        return a->who.name < b->who.name;
    });
}

// Hands on the rules whose group the person is in. Both lists are sorted, so one walk does.
template <class Meet>
void for_each_common(
    const std::vector<const Rule*>& rules, const Person& person, const Meet& meet) {
    auto group = person.groups.begin();
    for (const auto* rule : rules) {
        int order = -1;
        while (group != person.groups.end() && (order = group->compare(rule->who.name)) < 0)
            ++group;
        if (group == person.groups.end()) return;
        if (order == 0 && is_of_realm(rule->who, person)) meet(rule);
    }
}

// The spellings under which a team may list the subject.
std::vector<std::string> spellings(const Subject& subject) {
    const auto& identity = subject.identity;
    if (const auto key = identity.virtual_key())
        return {Who{.kind = WhoKind::key, .name = key->text}.text()};
    if (!identity.is_verified()) return {};
    if (!identity.is_person())
        return {
            Who{.kind = WhoKind::user, .realm = std::string(remote_realm), .name = identity.value}
                .text()};
    if (subject.person == nullptr) return {};
    std::vector<std::string> all;
    const auto& person = *subject.person;
    for (const auto& realm : {person.idp.text, std::string(any_realm)}) {
        all.push_back(Who{.kind = WhoKind::user, .realm = realm, .name = person.subject}.text());
        if (!person.email.empty())
            all.push_back(
                Who{.kind = WhoKind::email, .realm = realm, .name = lower_ascii(person.email)}
                    .text());
    }
    return all;
}

} // namespace

std::string_view name_of(Effect effect) {
    switch (effect) {
    case Effect::allow: return "allow";
    case Effect::deny: return "deny";
    case Effect::fresh: return "fresh";
    case Effect::acr: return "acr";
    }
    return {}; // past the last
}

std::optional<Effect> effect_of(std::string_view name) {
    for (const auto effect : {Effect::allow, Effect::deny, Effect::fresh, Effect::acr})
        if (name == name_of(effect)) return effect;
    return std::nullopt;
}

// Rules of one effect about one target. A person can be in hundreds of groups, so rules about
// groups stand apart, in the order of groups.
struct AccessRules::Listed {
    std::vector<const Rule*> all;    // in the order of their numbers, as the following
    std::vector<const Rule*> others; // that are not about groups
    std::vector<const Rule*> groups; // sorted by the name of the group
};

struct AccessRules::Index {
    struct Both {
        Listed allow, deny;
    };
    std::map<Target, Both> by_target;
    std::map<Target, std::vector<const Rule*>> proofs;
    std::map<std::string, std::vector<std::string>, std::less<>>
        teams;                       // members' spellings, sorted
    std::vector<const Rule*> groups; // all rules about groups, sorted by the name of the group
};

// The first rule that matches, and the first of which nobody knows it.
struct AccessRules::Found {
    const Rule* rule = nullptr;
    const Rule* unknown = nullptr;
};

AccessRules::AccessRules() : AccessRules({}, {}) {}
AccessRules::~AccessRules() = default;

AccessRules::AccessRules(std::vector<Rule> rules, std::vector<TeamMember> members, bool open)
    : rules_(std::move(rules)), members_(std::move(members)), open_(open) {
    std::sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) {
        return a.number < b.number;
    });
    auto index = std::make_unique<Index>();
    for (const auto& rule : rules_) {
        if (rule.asks_for_proof()) {
            index->proofs[rule.target].push_back(&rule);
            continue;
        }
        auto& both = index->by_target[rule.target];
        auto& listed = rule.effect == Effect::allow ? both.allow : both.deny;
        const bool of_group = rule.who.kind == WhoKind::group;
        listed.all.push_back(&rule);
        (of_group ? listed.groups : listed.others).push_back(&rule);
        if (of_group) index->groups.push_back(&rule);
    }
    for (auto& [target, both] : index->by_target)
        for (auto* listed : {&both.allow, &both.deny}) sort_by_group(listed->groups);
    sort_by_group(index->groups);
    for (const auto& member : members_) index->teams[member.team].push_back(member.who.text());
    for (auto& [name, spelled] : index->teams) std::sort(spelled.begin(), spelled.end());
    index_ = std::move(index);
}

Match AccessRules::matches(const Who& who, const Subject& subject) const {
    const auto& identity = subject.identity;
    switch (who.kind) {
    case WhoKind::everyone: return Match::yes;
    case WhoKind::signed_in: return yes_if(identity.is_verified());
    case WhoKind::unverified: return yes_if(!identity.is_lasting());
    case WhoKind::keys: return yes_if(identity.virtual_key().has_value());
    case WhoKind::key:
        return yes_if(identity.kind == IdentityKind::virtual_key && identity.value == who.name);
    case WhoKind::team: break;
    case WhoKind::members:
    case WhoKind::user:
    case WhoKind::group:
    case WhoKind::email:
    case WhoKind::domain:
    case WhoKind::claim: return match_of_realm(who, subject);
    }
    const auto team = index_->teams.find(who.name);
    if (team == index_->teams.end()) return Match::no;
    for (const auto& spelling : spellings(subject))
        if (holds(team->second, spelling)) return Match::yes;
    return Match::no;
}

AccessRules::Found AccessRules::find(const Listed& listed, const Subject& subject) const {
    Found found;
    const auto note = [](const Rule*& first, const Rule* rule) {
        if (first == nullptr || rule->number < first->number) first = rule;
    };
    for (const auto* rule : listed.others) {
        const auto match = matches(rule->who, subject);
        if (match == Match::unknown) note(found.unknown, rule);
        if (match != Match::yes) continue;
        found.rule = rule;
        break;
    }
    if (!subject.identity.is_verified()) return found; // nobody else is in a group
    if (subject.person != nullptr && subject.person->groups_known) {
        for_each_common(
            listed.groups, *subject.person, [&](const Rule* rule) { note(found.rule, rule); });
        return found;
    }
    for (const auto* rule : listed.groups)
        if (matches(rule->who, subject) == Match::unknown) note(found.unknown, rule);
    return found;
}

std::vector<std::string> AccessRules::named_groups(const Person& person) const {
    std::vector<std::string> named;
    for_each_common(index_->groups, person, [&](const Rule* rule) {
        if (named.empty() || named.back() != rule->who.name) named.push_back(rule->who.name);
    });
    return named;
}

Verdict AccessRules::decide(const Target& target, const Subject& subject) const {
    using Reason = Verdict::Reason;
    const auto found = index_->by_target.find(target);
    if (found == index_->by_target.end()) {
        const bool opens = !target.scope.empty() || !target.service.empty();
        return {.yes = open_ || opens};
    }
    const auto& [allow, deny] = found->second;
    const auto denied = find(deny, subject);
    if (denied.rule) return {.yes = false, .reason = Reason::denied, .rule = denied.rule};
    if (denied.unknown) // the group may be theirs
        return {
            .yes = false, .reason = Reason::denied, .rule = denied.unknown, .groups_unknown = true};
    const auto allowed = find(allow, subject);
    if (allowed.rule) return {.yes = true, .reason = Reason::allowed, .rule = allowed.rule};
    const bool groups_unknown = allowed.unknown != nullptr;
    if (!allow.all.empty())
        return {.yes = false, .reason = Reason::none_matches, .groups_unknown = groups_unknown};
    const bool opens = !target.scope.empty() || !target.service.empty();
    return {.yes = open_ || opens};
}

std::vector<const Rule*> AccessRules::asking_for_proof(const Target& target) const {
    const auto found = index_->proofs.find(target);
    return found == index_->proofs.end() ? std::vector<const Rule*>() : found->second;
}

std::vector<const Rule*> AccessRules::allowing(const Target& target) const {
    const auto found = index_->by_target.find(target);
    return found == index_->by_target.end() ? std::vector<const Rule*>() : found->second.allow.all;
}

} // namespace consentgate::core
