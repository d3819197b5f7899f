#include "consentgate/core/access/explanation.h"

namespace consentgate::core {
namespace {

std::string rule_name(const Rule& rule) { return "rule " + std::to_string(rule.number); }

std::string at_realm(const Who& who) {
    return who.realm == any_realm ? " at any identity provider" : " at " + who.realm;
}

// This WHO names somebody who does that.
std::string being(const Who& who) {
    switch (who.kind) {
    case WhoKind::everyone: return "be anybody";
    case WhoKind::signed_in: return "sign in";
    case WhoKind::unverified: return "come without proof of who they are";
    case WhoKind::keys: return "come with a virtual key";
    case WhoKind::key: return "come with the key " + who.name;
    case WhoKind::team: return "be in team " + who.name;
    case WhoKind::members:
        return who.realm == remote_realm ? "be signed in by the web server"
                                         : "sign in" + at_realm(who);
    case WhoKind::user: return "be " + who.text();
    case WhoKind::group: return "be in group " + who.name + at_realm(who);
    case WhoKind::email: return "have the address " + who.name + at_realm(who);
    case WhoKind::domain: return "have an address of " + who.name + at_realm(who);
    case WhoKind::claim: return "have the claim " + who.name + "=" + who.value + at_realm(who);
    }
    return {};
}

std::vector<std::string> help_for(
    const AccessRules& rules, const Target& target, const Verdict& verdict) {
    if (verdict) return {};
    std::vector<std::string> help;
    if (verdict.groups_unknown)
        help.push_back("it would help if their provider said which groups they are in");
    switch (verdict.reason) {
    case Verdict::Reason::allowed: break;
    case Verdict::Reason::denied:
        help.push_back("it would help to remove " + rule_name(*verdict.rule));
        break;
    case Verdict::Reason::none_matches:
        for (const auto* rule : rules.allowing(target))
            help.push_back("it would help to " + being(rule->who) + " (" + rule_name(*rule) + ")");
        break;
    case Verdict::Reason::by_default:
        help.push_back("it would help to allow it by a rule, or to set access default everyone");
        break;
    }
    return help;
}

std::string why_of(const AccessRules& rules, const Target& target, const Verdict& verdict) {
    switch (verdict.reason) {
    case Verdict::Reason::denied:
    case Verdict::Reason::allowed: return rule_name(*verdict.rule) + "   " + verdict.rule->text();
    case Verdict::Reason::none_matches: {
        std::string why = "no allow matches";
        for (const auto* rule : rules.allowing(target))
            why += "; " + rule_name(*rule) + " allows " + rule->who.text();
        return why;
    }
    case Verdict::Reason::by_default:
        return verdict ? "no rule is about it" : "no rule is about it, and the default is nobody";
    }
    return {};
}

} // namespace

std::vector<Step> explain(
    const AccessRules& rules, const Subject& subject, const Question& question,
    const Policy& policy) {
    std::vector<Step> steps;
    const auto add = [&](std::string about, const Target& target) {
        const auto verdict = rules.decide(target, subject);
        steps.push_back(
            {std::move(about), verdict, why_of(rules, target, verdict),
             help_for(rules, target, verdict)});
    };
    add("sign in", {});
    add("resource", {.resource = question.resource});
    const auto asked = policy.with_implied(question.scopes);
    for (const auto& scope : asked.names()) {
        add("scope " + scope, {.scope = scope});
        add("scope " + scope + " there", {.resource = question.resource, .scope = scope});
    }
    // Only the browser's sign-in decides them, at the next consent.
    const auto add_proofs = [&](const Target& target) {
        for (const auto* rule : rules.asking_for_proof(target))
            steps.push_back(
                {"proof",
                 Verdict{.yes = true, .reason = Verdict::Reason::allowed, .rule = rule},
                 rule_name(*rule) + "   " + rule->text() + ", asked for at consent",
                 {}});
    };
    add_proofs({.resource = question.resource});
    for (const auto& scope : asked.names())
        add_proofs({.resource = question.resource, .scope = scope});
    if (!question.service.empty())
        add("service " + question.service, {.service = question.service});
    return steps;
}

} // namespace consentgate::core
