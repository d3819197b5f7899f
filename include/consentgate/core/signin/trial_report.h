// The report of a sign-in on trial shows each claim that came, and what would become of it.
// spec: docs/requirements_signin.md SI9
#pragma once

#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/person_claims.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct TrialClaim {
    std::string name, value; // the value is text or JSON, at most 200 characters
    std::string source;      // "ID token", "userinfo" or "API"
};

struct TrialReport {
    std::string problem{}; // why the sign-in did not work; empty: it did
    std::vector<TrialClaim> claims{};
    std::string issuer{}, subject{}, name{}, email{}; // as they would be kept
    std::vector<std::string> groups{};
    bool groups_known = true;
    std::vector<std::string> kept{};  // "NAME: VALUE, VALUE"
    std::vector<std::string> rules{}; // those that name the person, in the words of the command
    std::vector<std::string> hints{}; // for the operator
};

// in: claims  that we believe
TrialReport make_trial_report(
    const ProvedClaims& proved, const std::optional<JsonObject>& userinfo,
    const PersonClaims& claims, const IdentityProvider& provider);

TrialReport failed_trial(std::string problem);

// As JSON, which is kept until the command has read it, and back.
std::string trial_report_text(const TrialReport& report);
std::optional<TrialReport> parse_trial_report(std::string_view text);

} // namespace consentgate::core
