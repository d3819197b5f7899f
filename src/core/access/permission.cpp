#include "consentgate/core/access/permission.h"

namespace consentgate::core {
namespace {

std::string reason_of(const Verdict& verdict) {
    if (verdict.rule != nullptr)
        return "rule " + std::to_string(verdict.rule->number) + ": " + verdict.rule->text();
    return verdict.reason == Verdict::Reason::none_matches ? "no rule that allows it matches"
                                                           : "the default is nobody";
}

// A person can help: they sign in once more, or ask who runs the provider.
std::string and_unknown_groups(std::string message, const Verdict& verdict) {
    if (verdict.groups_unknown)
        message += "; who signed the person in did not say which groups they are in";
    return message;
}

Error refused(const std::string& message, const Verdict& verdict, std::string param) {
    return make_error(
        ErrorCode::access_refused, PublicMessage{and_unknown_groups(message, verdict)},
        LogDetail{reason_of(verdict)}, std::move(param),
        RefusedAccount{.groups_unknown = verdict.groups_unknown});
}

Verdict decide_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const std::string& scope) {
    const auto everywhere = rules.decide({.scope = scope}, subject);
    return everywhere ? rules.decide({.resource = resource, .scope = scope}, subject) : everywhere;
}

} // namespace

Checked check_sign_in(const AccessRules& rules, const Subject& subject) {
    const auto verdict = rules.decide({}, subject);
    if (verdict) return Nothing{};
    return refused("this server does not let this account in", verdict, {});
}

Checked check_resource(
    const AccessRules& rules, const Subject& subject, const std::string& resource) {
    if (auto signs_in = check_sign_in(rules, subject); !signs_in) return signs_in;
    const auto verdict = rules.decide({.resource = resource}, subject);
    if (verdict) return Nothing{};
    return refused("this account may not use " + resource, verdict, "resource");
}

Checked check_service(
    const AccessRules& rules, const Subject& subject, const std::string& service) {
    const auto verdict = rules.decide({.service = service}, subject);
    if (verdict) return Nothing{};
    return refused("this account may not use the service behind this server", verdict, "service");
}

bool may_have_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const std::string& scope, const Policy& policy) {
    if (rules.rules().empty()) return true;
    const auto held = policy.with_implied(*ScopeSet::parse(scope));
    for (const auto& name : held.names())
        if (!decide_scope(rules, subject, resource, name)) return false;
    return true;
}

ScopeSet permitted_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const ScopeSet& granted, const Policy& policy) {
    if (rules.rules().empty()) return granted;
    const auto permitted = [&](const ScopeSet& scope) {
        std::string names;
        for (const auto& name : scope.names())
            if (may_have_scope(rules, subject, resource, name, policy))
                names += (names.empty() ? "" : " ") + name;
        return ScopeSet::parse(names).value_or(ScopeSet());
    };
    if (permitted(granted) == granted) return granted;
    return permitted(policy.with_implied(granted));
}

Checked check_needed_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const ScopeSet& needed, const Policy& policy) {
    if (rules.rules().empty()) return Nothing{};
    for (const auto& name : needed.names()) {
        if (may_have_scope(rules, subject, resource, name, policy)) continue;
        return make_error(
            ErrorCode::access_refused,
            PublicMessage{"this account may not have what this server needs: " + name},
            LogDetail{"a rule refuses the scope"}, "scope");
    }
    return Nothing{};
}

} // namespace consentgate::core
