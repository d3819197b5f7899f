// Rules and teams, for the operator. spec: docs/requirements_signin.md SI63, SI69 to SI72
#pragma once

#include "consentgate/core/access/explanation.h"
#include "consentgate/core/access/rule_words.h"
#include "consentgate/usecase/dependencies.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::usecase {

// A WHO without its realm gets the only identity provider there is.
// fail: invalid_request: there is none, or more than one
core::Result<core::Who> complete_who(Dependencies& deps, core::Who who);
// The same, and its resource in the published spelling where it is known.
core::Result<core::Rule> complete_rule(Dependencies& deps, core::Rule rule);

// Rules may name these; a command finds a word that somebody mistyped.
struct KnownNames {
    std::vector<std::string> realms, resources, scopes, services, teams, keys;
    std::vector<std::string> unaskable; // identity providers that give no proof that is asked for
};
KnownNames known_names(Dependencies& deps);

store::AccessRecords read_access(Dependencies& deps);

// out:  with its number
// fail: invalid_request: there is the same rule already
core::Result<core::Rule> add_rule(Dependencies& deps, core::Rule rule, core::Instant now);
// fail: not_found
core::Result<core::Rule> remove_rule(Dependencies& deps, std::int64_t number);
// out: false: it was so before
core::Result<bool> set_access_default(Dependencies& deps, bool open);

// How rules change when they become those of a file.
struct RuleChanges {
    std::vector<core::Rule> added, removed;
    std::size_t kept = 0;
    std::optional<bool> open{}; // absent: the default stays
};
core::Result<RuleChanges> apply_rules(
    Dependencies& deps, const core::RuleFile& file, bool dry_run, core::Instant now);

// out: those who were not in it before
core::Result<std::vector<core::Who>> join_team(
    Dependencies& deps, const std::string& team, const std::vector<core::Who>& members,
    core::Instant now);
// out: those who were in it
core::Result<std::vector<core::Who>> leave_team(
    Dependencies& deps, const std::string& team, const std::vector<core::Who>& members);

// Somebody whom a rule may name, with what is stored about them.
struct Somebody {
    core::Identity identity{};
    std::optional<core::Person> person{};
    std::optional<core::VirtualKey> key{};
};
// Calls `meet` with every person and every usable key.
void for_each_known(
    Dependencies& deps, core::Instant now, const std::function<void(const Somebody&)>& meet);

// Those whom an operator's word means: key:ID, unverified, remote/user:NAME, or of people IDP/SUB,
// IDP/user:SUB, user: and the first digits of their id (eight or more), or an e-mail that counts.
// fail: invalid_request: the word is none of these
core::Result<std::vector<Somebody>> find_somebody(Dependencies& deps, const std::string& word);

struct AccessAnswer {
    bool yes = false;
    std::string why{}; // where they are stopped before any rule is asked; empty: they are not
    std::vector<core::Step> steps{};
    std::shared_ptr<const core::AccessRules> rules{}; // that the steps refer to
};
// As the gate decides it, by the same functions.
AccessAnswer ask_access(
    Dependencies& deps, const Somebody& somebody, const core::Question& question,
    core::Instant now);

} // namespace consentgate::usecase
