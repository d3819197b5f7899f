#include "consentgate/usecase/access_rules.h"

#include "not_found.h"

#include <algorithm>
#include <set>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::AccessChange;
using store::AccessRecords;
using store::Applied;

constexpr int max_attempts = 5; // another operator changes rules at the same time

core::Error invalid(std::string message) {
    return core::make_error(ErrorCode::invalid_request, core::PublicMessage{std::move(message)});
}

// Whom rules name may be an address, which no log line holds; the operator's command has a line of
// its own.
void audit_change(Dependencies& deps, const AccessChange& change) {
    deps.log.audit(
        "access_changed", {{"by", "operator"},
                           {"rules_added", std::to_string(change.added.size())},
                           {"rules_removed", std::to_string(change.removed.size())},
                           {"members_added", std::to_string(change.joined.size())},
                           {"members_removed", std::to_string(change.left.size())},
                           {"default", !change.open   ? "-"
                                       : *change.open ? "everyone"
                                                      : "nobody"}});
}

// Reads, asks what to change, and writes it when nobody changed anything meanwhile.
template <class Answer, class Decide>
core::Result<Answer> change(Dependencies& deps, const Decide& decide) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        const auto records = deps.store.access.read();
        AccessChange wanted;
        core::Result<Answer> answer = decide(records, wanted);
        if (!answer || wanted.empty()) return answer;
        if (deps.store.access.change(records, wanted, deps.random.id(16)) == Applied::yes) {
            audit_change(deps, wanted);
            return answer;
        }
    }
    return core::make_error(
        ErrorCode::store_unavailable,
        core::PublicMessage{"the rules are being changed by somebody else; try again"});
}

bool has_same(const std::vector<core::Rule>& rules, const core::Rule& rule) {
    return std::any_of(
        rules.begin(), rules.end(), [&](const auto& one) { return one.says_the_same(rule); });
}

bool is_member(const AccessRecords& records, const core::TeamMember& member) {
    return std::any_of(records.members.begin(), records.members.end(), [&](const auto& one) {
        return one.is_same(member);
    });
}

} // namespace

core::Result<core::Who> complete_who(Dependencies& deps, core::Who who) {
    if (!who.has_realm() || !who.realm.empty()) return who;
    const auto idps = deps.store.idps.list();
    const bool web_server_says =
        who.kind == core::WhoKind::group || who.kind == core::WhoKind::user;
    if (idps.empty() && web_server_says && deps.policy.verified_user != core::VerifiedUser::off) {
        who.realm = core::remote_realm; // where all people come from
        return who;
    }
    if (idps.empty())
        return invalid(
            "'" + who.text() +
            "' is about people of an identity provider, and there is none; consentgate-admin idp "
            "add makes one");
    if (idps.size() > 1) {
        std::string forms;
        for (const auto& idp : idps)
            forms += (forms.empty() ? "" : " or ") + idp.id.text + "/" + who.text();
        return invalid("there are several identity providers; write " + forms);
    }
    who.realm = idps.front().id.text;
    return who;
}

core::Result<core::Rule> complete_rule(Dependencies& deps, core::Rule rule) {
    auto who = complete_who(deps, std::move(rule.who));
    if (!who) return who.error();
    rule.who = std::move(*who);
    if (const auto known = deps.policy.known_resource(rule.target.resource))
        rule.target.resource = known->url;
    return rule;
}

KnownNames known_names(Dependencies& deps) {
    KnownNames names;
    names.realms = {std::string(core::any_realm), std::string(core::remote_realm)};
    for (const auto& idp : deps.store.idps.list()) {
        names.realms.push_back(idp.id.text);
        if (!idp.gives_proof()) names.unaskable.push_back(idp.id.text);
    }
    for (const auto& resource : deps.policy.resources) names.resources.push_back(resource.url);
    for (const auto& server : deps.store.resource_servers.list())
        if (server.active) names.resources.push_back(server.resource);
    for (const auto& scope : deps.policy.scopes) names.scopes.push_back(scope.name);
    for (const auto& service : deps.store.services.list())
        names.services.push_back(service.id.text);
    std::set<std::string> teams;
    for (const auto& member : deps.store.access.read().members) teams.insert(member.team);
    names.teams.assign(teams.begin(), teams.end());
    for (const auto& key : deps.store.virtual_keys.list()) names.keys.push_back(key.id.text);
    return names;
}

store::AccessRecords read_access(Dependencies& deps) { return deps.store.access.read(); }

core::Result<core::Rule> add_rule(Dependencies& deps, core::Rule rule, core::Instant now) {
    rule.created_at = now;
    return change<core::Rule>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<core::Rule> {
            for (const auto& one : records.rules)
                if (one.says_the_same(rule))
                    return invalid("rule " + std::to_string(one.number) + " says the same");
            rule.number = records.next_rule;
            wanted.added = {rule};
            return rule;
        });
}

core::Result<core::Rule> remove_rule(Dependencies& deps, std::int64_t number) {
    return change<core::Rule>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<core::Rule> {
            for (const auto& rule : records.rules)
                if (rule.number == number) {
                    wanted.removed = {number};
                    return rule;
                }
            return not_found("there is no rule " + std::to_string(number));
        });
}

core::Result<bool> set_access_default(Dependencies& deps, bool open) {
    return change<bool>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<bool> {
            if (records.open != open) wanted.open = open;
            return records.open != open;
        });
}

core::Result<RuleChanges> apply_rules(
    Dependencies& deps, const core::RuleFile& file, bool dry_run, core::Instant now) {
    return change<RuleChanges>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<RuleChanges> {
            RuleChanges changes;
            auto number = records.next_rule;
            for (auto rule : file.rules) {
                if (has_same(records.rules, rule) || has_same(changes.added, rule)) continue;
                rule.number = number++;
                rule.created_at = now;
                changes.added.push_back(std::move(rule));
            }
            for (const auto& rule : records.rules) {
                if (has_same(file.rules, rule))
                    ++changes.kept;
                else
                    changes.removed.push_back(rule);
            }
            if (file.open && *file.open != records.open) changes.open = file.open;
            if (dry_run) return changes;
            wanted.added = changes.added;
            for (const auto& rule : changes.removed) wanted.removed.push_back(rule.number);
            wanted.open = changes.open;
            return changes;
        });
}

core::Result<std::vector<core::Who>> join_team(
    Dependencies& deps, const std::string& team, const std::vector<core::Who>& members,
    core::Instant now) {
    using Joined = std::vector<core::Who>;
    return change<Joined>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<Joined> {
            Joined joined;
            for (const auto& who : members) {
                const core::TeamMember member{.team = team, .who = who, .created_at = now};
                if (is_member(records, member) ||
                    std::find(joined.begin(), joined.end(), who) != joined.end())
                    continue;
                joined.push_back(who);
                wanted.joined.push_back(member);
            }
            return joined;
        });
}

core::Result<std::vector<core::Who>> leave_team(
    Dependencies& deps, const std::string& team, const std::vector<core::Who>& members) {
    using Left = std::vector<core::Who>;
    return change<Left>(
        deps, [&](const AccessRecords& records, AccessChange& wanted) -> core::Result<Left> {
            Left left;
            for (const auto& who : members) {
                const core::TeamMember member{.team = team, .who = who};
                if (!is_member(records, member)) continue;
                left.push_back(who);
                wanted.left.push_back(member);
            }
            return left;
        });
}

} // namespace consentgate::usecase
