// A resource can want more of the proof of a person who signs in at an identity provider.
// spec: OpenID Connect Core 3.1.2.1; docs/requirements_signin.md SI31
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/oauth/policy.h"
#include "consentgate/core/signin/browser_signin.h"

#include <string>
#include <vector>

namespace consentgate::core {

inline constexpr std::int64_t max_fresh_minutes = 60 * 24 * 30;

// 1 to max_fresh_minutes in decimal digits, or 1 to 200 visible ASCII characters.
// fail: invalid_request, in words for the operator
Checked check_proof(Effect effect, const std::string& proof);

struct DemandedProof {
    std::optional<Span> max_age{}; // the person signed in there at most so long ago
    // The sign-in has one value of each list; several rules about one target make one list.
    std::vector<std::vector<std::string>> acr{};

    bool empty() const { return !max_age && acr.empty(); }
    // The values that fulfil every list, as `acr_values` asks for them.
    std::vector<std::string> acr_values() const;
    // The lists have no value in common, so nobody's sign-in has it.
    bool is_impossible() const { return !acr.empty() && acr_values().empty(); }
};

// Joins the rules about the resource, and about each scope there that the session would hold.
DemandedProof demanded_proof(
    const AccessRules& rules, const std::string& resource, const ScopeSet& scope,
    const Policy& policy);

bool fulfils(const BrowserSignin& signin, const DemandedProof& demanded, Instant now);

} // namespace consentgate::core
