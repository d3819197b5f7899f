#include "consentgate/usecase/people.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/signin/remote_groups.h"
#include "consentgate/usecase/sessions.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

constexpr std::size_t fewest_digits = 8; // of a person's id
constexpr core::Span longest_idle{180 * 86400};
constexpr std::size_t people_at_once = 100;

bool fits(const core::Person& person, const PeopleFilter& filter) {
    if (filter.idp && person.idp != *filter.idp) return false;
    if (filter.disabled && !person.disabled_at) return false;
    if (filter.email && !core::same_ignoring_case(person.email, *filter.email)) return false;
    return !filter.group ||
           std::binary_search(person.groups.begin(), person.groups.end(), *filter.group);
}

bool is_meant(const core::Person& person, const std::string& word) {
    if (word.starts_with("user:")) return person.id.text.starts_with(word.substr(5));
    if (const auto slash = word.find('/'); slash != word.npos)
        return person.idp.text == word.substr(0, slash) &&
               (person.subject == word.substr(slash + 1) ||
                "user:" + person.subject == word.substr(slash + 1));
    return !person.email.empty() && core::same_ignoring_case(person.email, word);
}

// By a rule or a team that is about them alone; one about their group is not.
bool is_named(const store::AccessRecords& records, const core::Person& person) {
    const core::AccessRules rules({}, {});
    const auto identity = core::identity_of(person);
    const auto names = [&](const core::Who& who) {
        return who.names_one() && rules.matches(who, {identity, &person}) == core::Match::yes;
    };
    return std::any_of(
               records.rules.begin(), records.rules.end(),
               [&](const auto& rule) { return names(rule.who); }) ||
           std::any_of(records.members.begin(), records.members.end(), [&](const auto& member) {
               return names(member.who);
           });
}

} // namespace

std::vector<core::Person> list_people(
    Dependencies& deps, const PeopleFilter& filter, std::size_t limit) {
    std::vector<core::Person> people;
    deps.store.access.for_each_person([&](const core::Person& person) {
        if (people.size() < limit && fits(person, filter)) people.push_back(person);
    });
    return people;
}

std::vector<core::Person> list_latest_people(
    Dependencies& deps, const core::IdpId& idp, std::size_t limit) {
    return deps.store.people.list_latest(idp, limit);
}

core::Result<std::vector<core::Person>> find_people(Dependencies& deps, const std::string& word) {
    const bool readable = word.starts_with("user:") ? word.size() >= 5 + fewest_digits
                                                    : word.find_first_of("/@") != word.npos;
    if (!readable)
        return core::make_error(
            core::ErrorCode::invalid_request,
            core::PublicMessage{
                "WHO is an e-mail address, IDP/SUB, or user: and 8 or more digits of a person's "
                "id"});
    std::vector<core::Person> found;
    deps.store.access.for_each_person([&](const core::Person& person) {
        if (is_meant(person, word)) found.push_back(person);
    });
    return found;
}

namespace {

void note_remote_groups(
    Dependencies& deps, const core::Identity& user, const std::optional<std::string>& listed,
    const core::RemoteGroups& how, core::Instant now) {
    const auto said = core::remote_person(user, listed, how, now);
    const auto known = deps.store.people.find(said.id);
    if (known && !core::is_news(*known, said)) return;
    if (!known && deps.store.people.put(said) == store::Applied::yes) return;
    deps.store.people.renew(said);
}

} // namespace

std::function<void(const std::string&, const std::optional<std::string>&, core::Instant)>
keeper_of_remote_groups(Dependencies& deps, const std::optional<core::RemoteGroups>& how) {
    if (!how) return {};
    return
        [&deps, how = *how](
            const std::string& name, const std::optional<std::string>& listed, core::Instant now) {
            const auto principal = core::verified_principal(name, deps.policy);
            if (!principal || !*principal) return; // the page says what is wrong with the name
            try {
                note_remote_groups(deps, **principal, listed, how, now);
            } catch (const std::exception& error) {
                deps.log.event("remote_groups_failed", {{"reason", error.what()}});
            }
        };
}

PersonDetails describe_person(Dependencies& deps, const core::Person& person, core::Instant now) {
    return {
        .person = person,
        .sessions = deps.store.sessions.list_of_person(person.id, now).size(),
        .signins = deps.store.signins.list_of_person(person.id, now),
        .accounts = deps.store.accounts.list(core::identity_of(person).owner(core::SessionId()))};
}

store::Applied disable_person(Dependencies& deps, const core::Person& person, core::Instant now) {
    const auto changed = deps.store.people.disable(person.id, now);
    if (changed == store::Applied::yes)
        deps.log.audit(
            "user_disabled", {{"by", "operator"},
                              {"subject", core::short_name_of(person.id)},
                              {"idp", person.idp.text}});
    return changed;
}

store::Applied enable_person(Dependencies& deps, const core::Person& person) {
    const auto changed = deps.store.people.enable(person.id);
    if (changed == store::Applied::yes)
        deps.log.audit(
            "user_enabled", {{"by", "operator"},
                             {"subject", core::short_name_of(person.id)},
                             {"idp", person.idp.text}});
    return changed;
}

EndedThings end_standing(
    Dependencies& deps, const core::PersonId& person, core::SigninEnd by, core::Instant now,
    const std::function<void(std::size_t)>& after_batch) {
    EndedThings ended;
    ended.signins = deps.store.signins.end_all(person, by, now);
    ended.sessions = end_sessions(
        deps, {.person = person}, now, after_batch,
        by == core::SigninEnd::ended ? "operator" : "provider");
    return ended;
}

EndedThings end_person(
    Dependencies& deps, const core::Person& person, PersonAccounts accounts, core::Instant now,
    const std::function<void(std::size_t)>& after_batch) {
    auto ended = end_standing(deps, person.id, core::SigninEnd::ended, now, after_batch);
    if (accounts == PersonAccounts::end) // after the sessions, which could connect one again
        ended.accounts =
            end_linked_accounts(deps, core::identity_of(person).owner(core::SessionId()), now);
    return ended;
}

std::size_t sweep_people(Dependencies& deps, core::Instant now) {
    const auto since = now - longest_idle;
    std::size_t swept = 0;
    std::optional<store::AccessRecords> rules; // read when somebody is idle
    for (std::string after;;) {
        const auto idle = deps.store.people.list_idle(since, after, people_at_once);
        if (!idle.empty() && !rules) rules = deps.store.access.read();
        for (const auto& person : idle)
            if (!is_named(*rules, person) &&
                deps.store.people.remove_idle(person.id, since) == store::Applied::yes)
                ++swept;
        if (idle.size() < people_at_once) return swept;
        after = idle.back().id.text;
    }
}

// Disabled first, so that they begin nothing meanwhile.
EndedThings remove_person(Dependencies& deps, const core::Person& person, core::Instant now) {
    deps.store.people.disable(person.id, now);
    const auto ended = end_person(deps, person, PersonAccounts::end, now);
    deps.store.idps.remove_person(person.id);
    deps.log.audit(
        "user_removed", {{"by", "operator"},
                         {"subject", core::short_name_of(person.id)},
                         {"idp", person.idp.text}});
    return ended;
}

} // namespace consentgate::usecase
