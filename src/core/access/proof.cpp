#include "consentgate/core/access/proof.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_acr_bytes = 200;

std::optional<std::int64_t> minutes_of(const std::string& proof) {
    const auto minutes = parse_number(proof);
    if (!minutes || *minutes < 1 || *minutes > max_fresh_minutes ||
        std::to_string(*minutes) != proof)
        return std::nullopt;
    return minutes;
}

bool is_acr(const std::string& text) {
    return !text.empty() && text.size() <= max_acr_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void demand(const std::vector<const Rule*>& rules, DemandedProof& demanded) {
    std::vector<std::string> values;
    for (const auto* rule : rules) {
        if (rule->effect == Effect::acr) {
            values.push_back(rule->proof);
            continue;
        }
        // A number that cannot be read lets nobody in who is not there this moment.
        const Span age{minutes_of(rule->proof).value_or(0) * 60};
        demanded.max_age = std::min(demanded.max_age.value_or(age), age);
    }
    if (!values.empty()) demanded.acr.push_back(std::move(values));
}

} // namespace

Checked check_proof(Effect effect, const std::string& proof) {
    const auto wrong = [](const char* message) {
        return make_error(ErrorCode::invalid_request, PublicMessage{message});
    };
    if (effect == Effect::fresh && !minutes_of(proof))
        return wrong("fresh takes minutes, from 1 to 43200");
    if (effect == Effect::acr && !is_acr(proof))
        return wrong("acr takes one value, of 1 to 200 visible ASCII characters");
    return Nothing{};
}

std::vector<std::string> DemandedProof::acr_values() const {
    if (acr.empty()) return {};
    auto common = acr.front();
    for (const auto& values : acr) {
        std::erase_if(common, [&](const auto& value) {
            return std::find(values.begin(), values.end(), value) == values.end();
        });
    }
    return common;
}

DemandedProof demanded_proof(
    const AccessRules& rules, const std::string& resource, const ScopeSet& scope,
    const Policy& policy) {
    DemandedProof demanded;
    if (rules.rules().empty()) return demanded;
    demand(rules.asking_for_proof({.resource = resource}), demanded);
    const auto wanted = policy.with_implied(scope); // it must outlive its names
    for (const auto& name : wanted.names())
        demand(rules.asking_for_proof({.resource = resource, .scope = name}), demanded);
    return demanded;
}

bool fulfils(const BrowserSignin& signin, const DemandedProof& demanded, Instant now) {
    // A provider that does not say when the person signed in there has not proved it.
    if (demanded.max_age && (!signin.auth_time || *signin.auth_time + *demanded.max_age < now))
        return false;
    return std::all_of(demanded.acr.begin(), demanded.acr.end(), [&](const auto& values) {
        return std::find(values.begin(), values.end(), signin.acr) != values.end();
    });
}

} // namespace consentgate::core
