// The options of `idp add` and `idp set` that say who of a provider's people may sign in at all.
// spec: docs/requirements_signin.md SI5
#include "admin_idps.h"

#include "idp_presets.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <cctype>

namespace consentgate::app::admin {
namespace {

using core::IdentityProvider;
using Texts = std::vector<std::string>;

constexpr std::size_t max_listed = 20;

bool is_guid(const std::string& text) {
    if (text.size() != 36) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        if (dash ? text[at] != '-' : std::isxdigit(static_cast<unsigned char>(text[at])) == 0)
            return false;
    }
    return true;
}

bool is_domain(const std::string& text) {
    return text.size() <= 253 && text.find('.') != std::string::npos && !text.starts_with('.') &&
           !text.ends_with('.') && std::all_of(text.begin(), text.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
           });
}

// The values of an option that may be repeated; one that is empty takes all away.
void apply_list(
    const Arguments& arguments, const std::string& option, bool (*fits)(const std::string&),
    const std::string& what, Texts& list) {
    if (!arguments.has(option)) return;
    list.clear();
    for (const auto& value : arguments.all(option)) {
        if (value.empty()) continue;
        const auto lower = core::lower_ascii(value);
        if (!fits(lower)) throw UsageError("--" + option + ": '" + value + "' is no " + what);
        if (std::find(list.begin(), list.end(), lower) == list.end()) list.push_back(lower);
    }
    if (list.size() > max_listed)
        throw UsageError("--" + option + " may be given " + std::to_string(max_listed) + " times");
}

// Groups are named to the letter, and GitHub's are in lower case.
void apply_membership(IdentityProvider& idp, const Arguments& arguments) {
    if (!arguments.has("member-of")) return;
    idp.domains.clear();
    for (const auto& value : arguments.all("member-of")) {
        if (value.empty()) continue;
        if (core::has_control(value) || value.size() > 255)
            throw UsageError("--member-of takes a group as the provider names it");
        auto group = idp.has_id_tokens() ? value : core::lower_ascii(value);
        if (std::find(idp.domains.begin(), idp.domains.end(), group) == idp.domains.end())
            idp.domains.push_back(std::move(group));
    }
    if (idp.domains.size() > max_listed)
        throw UsageError("--member-of may be given " + std::to_string(max_listed) + " times");
    if (idp.domains.empty()) return;
    if (idp.groups_claim.empty()) throw UsageError("--member-of: that provider names no groups");
    if (arguments.has("any-account"))
        throw UsageError("--any-account lets in what --member-of keeps out: name one of the two");
    idp.any_account = false;
}

} // namespace

void apply_idp_fence(IdentityProvider& idp, const Arguments& arguments) {
    apply_list(arguments, "domain", is_domain, "domain, like example.org", idp.domains);
    apply_list(
        arguments, "allow-tenant", is_guid,
        "GUID of a directory, like "
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        idp.allowed_tenants);
    if (arguments.has("any-account")) {
        if (arguments.has("domain"))
            throw UsageError("--any-account lets in what --domain keeps out: name one of the two");
        idp.any_account = true;
        idp.domains.clear();
    } else if (!idp.domains.empty()) {
        idp.any_account = false;
    }
    const bool google = idp.kind == core::ProviderKind::google;
    const bool open = google || is_open_to_all(idp);
    if ((arguments.has("domain") && !google) || (arguments.has("any-account") && !open))
        throw UsageError(
            "--domain is for --preset google, and --any-account for providers where everybody has "
            "an account; at others a rule says who may sign in: consentgate-admin access allow");
    if (arguments.has("allow-tenant") && !idp.has_many_tenants())
        throw UsageError("--allow-tenant is for --preset entra --tenant organizations");
    apply_membership(idp, arguments);
    if (const auto valid = check_fence(idp); !valid) throw UsageError(valid.error().message);
}

} // namespace consentgate::app::admin
