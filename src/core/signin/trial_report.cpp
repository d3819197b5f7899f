#include "consentgate/core/signin/trial_report.h"

#include "group_claims.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/identity_provider.h"

#include <algorithm>
#include <array>

namespace consentgate::core {
namespace {

constexpr std::size_t max_value = 200; // characters
constexpr std::size_t max_claims = 200;
constexpr std::int64_t most_apart = 30; // seconds

// Lists that every ID token may have, and that are nobody's groups.
constexpr std::array<std::string_view, 3> no_groups{"aud", "amr", "_claim_names"};

std::string shown(const Json& value) {
    if (const auto* text = value.text()) return display_text(*text, max_value);
    const auto list = json_string(JsonArray{value});
    return display_text(std::string_view(list).substr(1, list.size() - 2), max_value);
}

void add_claims(TrialReport& report, const JsonObject& claims, const std::string& source) {
    for (const auto& member : claims.members()) {
        if (report.claims.size() == max_claims) return;
        report.claims.push_back(
            {display_text(member.name, max_value), shown(member.value), source});
    }
}

bool is_list(const Json& value) {
    const auto* array = value.array();
    return array != nullptr && !array->empty() &&
           std::all_of(array->begin(), array->end(), [](const Json& one) {
               return one.text() != nullptr || one.object() != nullptr;
           });
}

std::string pointer_step(const std::string& name) {
    std::string step;
    for (const char c : name) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return "/" + step;
}

// Claims that could be the groups, in the words of --groups-claim.
std::vector<std::string> likely_groups(const JsonObject& claims) {
    std::vector<std::string> names;
    for (const auto& [name, value] : claims.members()) {
        if (std::find(no_groups.begin(), no_groups.end(), name) != no_groups.end()) continue;
        if (is_list(value)) names.push_back(name);
        const auto* object = value.object();
        if (object == nullptr) continue;
        for (const auto& inner : object->members())
            if (is_list(inner.value))
                names.push_back(pointer_step(name) + pointer_step(inner.name));
    }
    return names;
}

void add_group_hints(
    TrialReport& report, const JsonObject& proved, const std::optional<JsonObject>& userinfo,
    const PersonClaims& claims, const IdentityProvider& provider) {
    const auto& claim = provider.groups_claim;
    if (claim.empty()) return;
    if (!claims.groups_known)
        report.hints.push_back(
            "The provider did not say all groups. Such a person is in none of them for allow, and "
            "in each for deny." +
            std::string(
                provider.kind == ProviderKind::entra
                    ? " idp set --graph-groups asks Microsoft Graph for them."
                    : ""));
    if (claims.groups_dropped > 0)
        report.hints.push_back(
            std::to_string(claims.groups_dropped) +
            " entries of the groups are no names of 1 to 255 bytes, and are left out.");
    if (claims.groups_sent || !claims.groups_known) return;
    auto likely = likely_groups(proved);
    if (userinfo)
        for (auto& name : likely_groups(*userinfo)) likely.push_back(std::move(name));
    const auto lists = display_text(join(likely, ", "), max_value);
    report.hints.push_back(
        "No claim " + claim + " came, so the person is in no group: add it to the ID token or " +
        "the userinfo at the provider" +
        (likely.empty() ? "." : ", or name a claim that came: --groups-claim " + lists + "."));
}

// spec: docs/requirements_signin.md SI54
void add_email_hint(
    TrialReport& report, const JsonObject& proved, const std::optional<JsonObject>& userinfo,
    const PersonClaims& claims, const IdentityProvider& provider) {
    if (!claims.email.empty() || provider.email_trust == EmailTrust::never) return;
    auto email = proved.text("email").value_or("");
    if (email.empty() && userinfo) email = userinfo->text("email").value_or("");
    if (email.empty()) {
        report.hints.emplace_back("No e-mail address came, so rules about addresses do not match.");
        return;
    }
    const bool vouching = provider.email_trust == EmailTrust::always || provider.has_many_tenants();
    report.hints.push_back(
        display_text(email, max_value) + " does not count in rules: " +
        (vouching ? "it is no plain address, or the provider does not say that it is verified."
                  : "the provider does not say that it is verified. --email always is your word "
                    "for all addresses of this provider."));
}

JsonObject claim_object(const TrialClaim& claim) {
    JsonObject object;
    object.set("name", claim.name).set("value", claim.value).set("source", claim.source);
    return object;
}

} // namespace

TrialReport make_trial_report(
    const ProvedClaims& proved, const std::optional<JsonObject>& userinfo,
    const PersonClaims& claims, const IdentityProvider& provider) {
    TrialReport report{
        .issuer = proved.issuer,
        .subject = proved.subject,
        .name = claims.name,
        .email = claims.email,
        .groups = claims.groups,
        .groups_known = claims.groups_known};
    add_claims(report, proved.claims, provider.has_id_tokens() ? "ID token" : "API");
    if (userinfo) add_claims(report, *userinfo, "userinfo");
    for (const auto& [name, values] : claims.claims)
        report.kept.push_back(display_text(name + ": " + join(values, ", "), max_value));
    add_group_hints(report, proved.claims, userinfo, claims, provider);
    add_email_hint(report, proved.claims, userinfo, claims, provider);
    const auto apart = proved.clock_ahead;
    if (apart > most_apart || -apart > most_apart)
        report.hints.push_back(
            "The provider's clock is " + std::to_string(apart) + " seconds ahead of this " +
            "machine's; at more than 120 nobody can sign in.");
    return report;
}

TrialReport failed_trial(std::string problem) { return {.problem = std::move(problem)}; }

std::string trial_report_text(const TrialReport& report) {
    JsonArray claims;
    for (const auto& claim : report.claims) claims.emplace_back(claim_object(claim));
    JsonObject object;
    object.set("problem", report.problem)
        .set("claims", std::move(claims))
        .set("issuer", report.issuer)
        .set("subject", report.subject)
        .set("name", report.name)
        .set("email", report.email)
        .set("groups", json_array(report.groups))
        .set("groups_known", report.groups_known)
        .set("kept", json_array(report.kept))
        .set("rules", json_array(report.rules))
        .set("hints", json_array(report.hints));
    return json_string(object);
}

std::optional<TrialReport> parse_trial_report(std::string_view text) {
    const auto object = parse_json_object(text);
    if (!object) return std::nullopt;
    TrialReport report;
    const auto read = [&](const char* name, std::string& field) {
        field = object->text(name).value_or("");
    };
    read("problem", report.problem);
    read("issuer", report.issuer);
    read("subject", report.subject);
    read("name", report.name);
    read("email", report.email);
    const auto list = [&](const char* name) {
        return object->texts(name).value_or(std::vector<std::string>{});
    };
    report.groups = list("groups");
    report.kept = list("kept");
    report.rules = list("rules");
    report.hints = list("hints");
    report.groups_known = object->flag("groups_known").value_or(false);
    const auto* claims = object->array("claims");
    for (std::size_t at = 0; claims != nullptr && at < claims->size(); ++at) {
        const auto* claim = (*claims)[at].object();
        if (claim == nullptr) continue;
        report.claims.push_back(
            {claim->text("name").value_or(""), claim->text("value").value_or(""),
             claim->text("source").value_or("")});
    }
    return report;
}

} // namespace consentgate::core
