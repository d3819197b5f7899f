// The tables of rules and teams; private to this module.
#pragma once

#include "columns.h"

#include "consentgate/core/access/rules.h"

namespace consentgate::store {

inline void restore(Row& row, core::Effect& effect) {
    std::string word;
    row.read_into(word);
    // A word that cannot be read lets nobody in.
    effect = core::effect_of(word).value_or(core::Effect::deny);
}

// Somebody by their one spelling. The reading is by hand, because an effect decides what a text
// means that cannot be read.
template <class Get> struct WhoColumn : BlobColumn<Get> {
    template <class Entity> OwnedBytes bind(const Entity& entity) const {
        return {std::invoke(this->get, entity).text()};
    }
};
template <class Get> constexpr WhoColumn<Get> spelled(BlobColumn<Get> column) { return {column}; }

// Whom a rule names, or in their place the proof that it asks for.
struct SubjectColumn : BlobColumn<std::string core::Rule::*> {
    OwnedBytes bind(const core::Rule& rule) const {
        return {rule.asks_for_proof() ? rule.proof : rule.who.text()};
    }
};

template <>
inline constexpr auto table_of<core::Rule> = table<core::Rule>(
    "access_rule",
    derived("id", [](const core::Rule& rule) { return std::to_string(rule.number); }),
    column("rule_number", &core::Rule::number), column("effect", &core::Rule::effect),
    SubjectColumn{{"who", &core::Rule::proof}},
    blob(
        "resource", [](auto& rule) -> auto& { return rule.target.resource; }),
    blob(
        "scope", [](auto& rule) -> auto& { return rule.target.scope; }),
    blob(
        "service", [](auto& rule) -> auto& { return rule.target.service; }),
    column("created_at", &core::Rule::created_at));

// A team has each member once.
inline std::string key_of_member(const core::TeamMember& member) {
    return core::sha256(member.team + '\n' + member.who.text()).hex;
}
template <>
inline constexpr auto table_of<core::TeamMember> = table<core::TeamMember>(
    "team_member", derived("id", key_of_member), column("team", &core::TeamMember::team),
    spelled(blob("member", &core::TeamMember::who)),
    column("created_at", &core::TeamMember::created_at));

// One row, from the first rule on.
struct PolicyVersion {
    std::string id = "policy";
    std::int64_t version = 0;
    std::int64_t next_rule = 1;
    bool closed = false;
    std::string changed_by;
};
template <>
inline constexpr auto table_of<PolicyVersion> = table<PolicyVersion>(
    "policy_version", column("id", &PolicyVersion::id), column("version", &PolicyVersion::version),
    column("next_rule", &PolicyVersion::next_rule), column("closed", &PolicyVersion::closed),
    column("changed_by", &PolicyVersion::changed_by));

} // namespace consentgate::store
