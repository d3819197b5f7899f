// From the providers' documentation and public reports; docs/signin.md says the same for operators.
#include "idp_presets.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

using core::ProviderKind;

const std::vector<IdpPreset> known{
    {.kind = ProviderKind::keycloak,
     .title = "Keycloak",
     .groups_need = "a mapper \"Group Membership\" of the client, with the claim name groups, in "
                    "the ID token or the userinfo, Full group path off"},
    {.kind = ProviderKind::entra,
     .title = "Microsoft",
     .kept_claims = {"tid"},
     .prompts = {"login", "select_account"},
     .groups_need = "the groups claim (Token configuration), which names groups by their GUIDs; or "
                    "app roles, with --groups-claim roles"},
    {.kind = ProviderKind::google,
     .title = "Google",
     .issuer = "https://accounts.google.com",
     .groups_claim = "",
     .kept_claims = {"hd"},
     .prompts = {"select_account"},
     .groups_need = "nothing: Google names no groups to anybody; you keep them here, by "
                    "consentgate-admin team add"},
    {.kind = ProviderKind::okta,
     .title = "Okta",
     .prompts = {"login"},
     .groups_need = "a groups claim filter of the application, or a groups claim of the "
                    "authorization server, named groups"},
    {.kind = ProviderKind::gitlab,
     .title = "GitLab",
     .issuer = "https://gitlab.com",
     .groups_need = "nothing: the userinfo names them by their full paths"},
    {.kind = ProviderKind::github,
     .title = "GitHub",
     .issuer = "https://github.com",
     .prompts = {"select_account"},
     .groups_need = "nothing: organisations and their teams are the groups, ORG and ORG/TEAM in "
                    "lower case; an organisation that has not approved the app is not among them"},
};

const IdpPreset generic{
    .groups_need = "whatever puts the claim groups into its ID token or userinfo; --groups-claim "
                   "names another"};

core::Error wrong(const std::string& message) {
    return core::make_error(core::ErrorCode::server_error, core::PublicMessage{message});
}

std::string without_slash(std::string url) {
    if (url.ends_with('/')) url.pop_back();
    return url;
}

} // namespace

const std::vector<IdpPreset>& idp_presets() { return known; }

const IdpPreset& idp_preset(ProviderKind kind) {
    const auto found = std::find_if(
        known.begin(), known.end(), [&](const auto& preset) { return preset.kind == kind; });
    return found == known.end() ? generic : *found;
}

std::string idp_preset_names() {
    std::string names;
    for (const auto& preset : known)
        names += (names.empty() ? "" : ", ") + std::string(core::name_of(preset.kind));
    return names;
}

core::Result<std::string> preset_issuer(
    const IdpPreset& preset, std::string url, const std::string& realm, const std::string& tenant) {
    switch (preset.kind) {
    case ProviderKind::keycloak:
        if (url.empty() || realm.empty())
            return wrong("--preset keycloak needs --url https://HOST and --realm NAME");
        return without_slash(std::move(url)) + "/realms/" + realm;
    case ProviderKind::entra: {
        if (tenant.empty())
            return wrong("--preset entra needs --tenant GUID, or --tenant organizations with "
                         "--allow-tenant GUID: everybody with a Microsoft account could sign in");
        const bool many = tenant == "organizations" || tenant == "common";
        if (!many && tenant.size() != 36)
            return wrong("--tenant is the GUID of your directory, or organizations");
        return "https://login.microsoftonline.com/" +
               (many ? std::string(core::tenant_place) : core::lower_ascii(tenant)) + "/v2.0";
    }
    case ProviderKind::okta:
        if (url.empty())
            return wrong("--preset okta needs --url https://ORG.okta.com, or that with "
                         "/oauth2/SERVER");
        return without_slash(std::move(url));
    case ProviderKind::gitlab:
    case ProviderKind::github:
        return url.empty() ? std::string(preset.issuer) : without_slash(std::move(url));
    case ProviderKind::google: return std::string(preset.issuer);
    case ProviderKind::generic: break;
    }
    return std::string();
}

bool is_open_to_all(const core::IdentityProvider& idp) {
    return (idp.kind == ProviderKind::github || idp.kind == ProviderKind::gitlab) &&
           idp.issuer == idp_preset(idp.kind).issuer;
}

core::Checked check_named_members(const core::IdentityProvider& idp) {
    if (!is_open_to_all(idp) || idp.any_account || !idp.domains.empty()) return core::Nothing{};
    const bool github = idp.kind == ProviderKind::github;
    return wrong(
        std::string("--preset ") + std::string(core::name_of(idp.kind)) + " needs --member-of " +
        (github ? "ORG (or ORG/TEAM)" : "GROUP") +
        ", or --any-account: everybody with an account "
        "at " +
        (github ? "GitHub" : "gitlab.com") + " could sign in");
}

core::Checked check_fence(const core::IdentityProvider& idp) {
    if (idp.kind == ProviderKind::google && idp.domains.empty() && !idp.any_account)
        return wrong("--preset google needs --domain DOMAIN, or --any-account: everybody with a "
                     "Google account could sign in");
    if (idp.has_many_tenants() && idp.allowed_tenants.empty())
        return wrong("--tenant organizations needs --allow-tenant GUID: everybody with a Microsoft "
                     "account of a company or school could sign in");
    return core::Nothing{};
}

} // namespace consentgate::app::admin
