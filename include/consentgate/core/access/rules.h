// The operator's rules say who may use what.
// spec: docs/requirements_signin.md SI63, SI64
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/identity.h"
#include "consentgate/core/signin/person.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// Whom a rule or a team names. Those from `members` on are of a realm: `corp/group:eng`.
enum class WhoKind {
    everyone,
    signed_in,  // at a provider, or by the web server
    unverified, // a typed name, or none
    keys,       // every virtual key
    key,        // key:ID
    team,       // team:NAME
    members,    // REALM/everyone
    user,       // REALM/user:SUBJECT
    group,      // REALM/group:NAME
    email,      // REALM/email:ADDRESS
    domain,     // REALM/email:*@DOMAIN
    claim,      // REALM/claim:NAME=VALUE
};

// Realms beside the ids of identity providers.
inline constexpr std::string_view any_realm = "any";       // every identity provider
inline constexpr std::string_view remote_realm = "remote"; // REMOTE_USER of the web server

struct Who {
    WhoKind kind = WhoKind::everyone;
    std::string realm{}; // an id of an identity provider, or one of the two above
    std::string name{};  // of the key, team, user, group or claim; the address, or its domain
    std::string value{}; // of the claim

    // The words of the command. fail: invalid_request
    static Result<Who> parse(std::string_view text);
    std::string text() const; // its one spelling
    bool has_realm() const { return kind >= WhoKind::members; }
    bool names_one() const; // one person or key, so that a team may list it
    bool operator==(const Who&) const = default;
};

// A rule is about this. Nothing named: it is about signing in at all.
struct Target {
    std::string resource{}; // the published spelling
    std::string scope{};    // everywhere, or on the resource
    std::string service{};  // stands alone

    auto operator<=>(const Target&) const = default;
};

enum class Effect {
    allow,
    deny,
    // The next two name nobody: they are about the proof of whoever may use the target.
    fresh, // they signed in at most so many minutes ago
    acr,   // their provider says this value of `acr`
};
std::string_view name_of(Effect effect);
std::optional<Effect> effect_of(std::string_view name);

struct Rule {
    std::int64_t number = 0; // as the operator sees it; never used again
    Effect effect = Effect::allow;
    Who who{};
    std::string proof{}; // in place of `who`: the minutes, or the value of acr
    Target target{};
    Instant created_at{};

    std::string text() const; // the words of the command: "allow team:eng --resource https://…"
    bool asks_for_proof() const { return effect == Effect::fresh || effect == Effect::acr; }
    bool says_the_same(const Rule& other) const {
        return effect == other.effect && who == other.who && proof == other.proof &&
               target == other.target;
    }
};

struct TeamMember {
    std::string team; // 1 to 64 of a-z 0-9 - _
    Who who;
    Instant created_at{};

    bool is_same(const TeamMember& other) const { return team == other.team && who == other.who; }
};
bool is_team_name(std::string_view name);

// Whom a question is about. `person` is of an identity that signed in at a provider; null when
// nothing is known of them.
struct Subject {
    const Identity& identity;
    const Person* person = nullptr;
};

// no, unknown: the subject is not named, or the provider did not say which groups they are in.
enum class Match { no, yes, unknown };

struct Verdict {
    enum class Reason {
        denied,       // by the rule
        allowed,      // by the rule
        none_matches, // there are rules that allow, and none names the subject
        by_default,   // there is no such rule
    };
    bool yes = false;
    Reason reason = Reason::by_default;
    const Rule* rule = nullptr;  // lives as long as the rules
    bool groups_unknown = false; // known groups might change it
    explicit operator bool() const { return yes; }
};

// All rules of one version, as values.
class AccessRules {
public:
    AccessRules(); // none, and everyone may
    // in: open  what a target without rules answers: signing in and resources only, because scopes
    //           and services lie behind a resource
    AccessRules(std::vector<Rule> rules, std::vector<TeamMember> members, bool open = true);
    ~AccessRules();
    AccessRules(const AccessRules&) = delete; // verdicts refer to it
    AccessRules& operator=(const AccessRules&) = delete;

    // It refuses for a deny that matches; else it wants one of the rules that allow to match, where
    // there are any; else it answers the default. It needs no order of rules.
    Verdict decide(const Target& target, const Subject& subject) const;
    Match matches(const Who& who, const Subject& subject) const;

    bool open() const { return open_; }
    bool allows_all() const { return open_ && rules_.empty(); } // every verdict is yes
    const std::vector<Rule>& rules() const { return rules_; }
    const std::vector<TeamMember>& members() const { return members_; }
    // Rules about the proof of whoever uses exactly that target.
    std::vector<const Rule*> asking_for_proof(const Target& target) const;
    // Rules that allow what the target names, which therefore is closed to all others.
    std::vector<const Rule*> allowing(const Target& target) const;
    // Those of the person's groups that a rule names, sorted.
    std::vector<std::string> named_groups(const Person& person) const;

private:
    struct Index;
    struct Found;
    struct Listed;
    Found find(const Listed& listed, const Subject& subject) const;

    std::vector<Rule> rules_; // in the order of their numbers
    std::vector<TeamMember> members_;
    bool open_ = true;
    std::unique_ptr<const Index> index_;
};

} // namespace consentgate::core
