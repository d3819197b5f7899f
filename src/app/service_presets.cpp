// From the providers' documentation and from reports of people who use them, read in November 2026;
// docs/services.md says the same for operators.
#include "service_presets.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

const std::vector<Preset> known{
    // Its documents name the origin of the issuer and leave its path out.
    {.id = "atlassian",
     .name = "Atlassian",
     .way = PresetWay::discovered,
     .url = "https://mcp.atlassian.com/v1/mcp/authv2",
     .issuer = "https://auth.atlassian.com",
     .registers_us = true,
     .needs = "nothing there: Atlassian registers consentgate itself. An administrator of the "
              "site may have to allow your domain under Rovo MCP server"},
    {.id = "github",
     .name = "GitHub",
     .url = "https://api.githubcopilot.com/mcp/",
     .authorization_endpoint = "https://github.com/login/oauth/authorize",
     .token_endpoint = "https://github.com/login/oauth/access_token",
     .scope = "read:user",
     .names_resource = false,
     .needs = "an OAuth app or a GitHub App (Settings, Developer settings), with its client "
              "id and a client secret"},
    {.id = "gitlab",
     .name = "GitLab",
     .way = PresetWay::discovered,
     .url = "https://gitlab.com/api/v4/mcp",
     .scope = "mcp",
     .registers_us = true,
     .needs = "nothing there: GitLab registers consentgate itself, for the scope mcp alone. "
              "Your own GitLab: --url https://gitlab.example.com/api/v4/mcp"},
    // Sign-in and tokens are on two origins. Without access_type=offline there are no refresh
    // tokens, and without prompt=consent none the second time.
    {.id = "google",
     .name = "Google",
     .way = PresetWay::discovered,
     .url = "",
     .issuer = "https://accounts.google.com",
     .origins = {"https://accounts.google.com"},
     .authorize_parameters = {"access_type=offline", "prompt=consent"},
     .names_resource = false,
     .needs = "a client of the type Web application (Google Cloud console, APIs & Services, "
              "Credentials), and the API of that server enabled in its project. Publish the "
              "consent screen: in testing, refresh tokens end after seven days"},
    {.id = "hubspot",
     .name = "HubSpot",
     .way = PresetWay::discovered,
     .url = "https://mcp.hubspot.com",
     .needs = "an MCP auth app (Development, MCP Auth Apps), with its client id and secret"},
    {.id = "linear",
     .name = "Linear",
     .way = PresetWay::discovered,
     .url = "https://mcp.linear.app/mcp",
     .registers_us = true,
     .needs = "nothing there: Linear registers consentgate itself"},
    // Microsoft Entra ID refuses `resource` beside its own kind of scopes.
    {.id = "microsoft",
     .name = "Microsoft",
     .url = "",
     .authorization_endpoint = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
     .token_endpoint = "https://login.microsoftonline.com/common/oauth2/v2.0/token",
     .scope = "offline_access User.Read",
     .names_resource = false,
     .needs = "an app registration (Entra admin center) with the platform Web and a client "
              "secret, which ends after two years at most. --scope names the API's own "
              "scopes and offline_access. For one tenant, name both endpoints with its id in "
              "place of common"},
    {.id = "notion",
     .name = "Notion",
     .way = PresetWay::discovered,
     .url = "https://mcp.notion.com/mcp",
     .registers_us = true,
     .needs = "nothing there: Notion registers consentgate itself"},
    // Its documents name another issuer than its servers' addresses do.
    {.id = "salesforce",
     .name = "Salesforce",
     .url = "https://api.salesforce.com/platform/mcp/v1/platform/sobject-reads",
     .authorization_endpoint = "https://login.salesforce.com/services/oauth2/authorize",
     .token_endpoint = "https://login.salesforce.com/services/oauth2/token",
     .revocation_endpoint = "https://login.salesforce.com/services/oauth2/revoke",
     .scope = "mcp_api refresh_token",
     .names_resource = false,
     .needs = "an External Client App with the scopes mcp_api and refresh_token, PKCE, and "
              "access tokens as JSON Web Tokens for named users; and the MCP server "
              "activated (Setup, MCP Servers)"},
    // `scope` would ask for a bot's token; a person's scopes are user_scope, and a person's
    // token is an object of its own.
    {.id = "slack",
     .name = "Slack",
     .url = "https://mcp.slack.com/mcp",
     .authorization_endpoint = "https://slack.com/oauth/v2_user/authorize",
     .token_endpoint = "https://slack.com/api/oauth.v2.user.access",
     .authorize_parameters = {"user_scope=search:read.public,channels:history,users:read"},
     .token_path = "authed_user",
     .names_resource = false,
     .needs = "an app of your workspace (api.slack.com/apps) with MCP switched on, these user "
              "token scopes, its client id and its secret. Other scopes: --authorize-param "
              "user_scope=A,B"},
};

} // namespace

const std::vector<Preset>& presets() { return known; }

const Preset* find_preset(std::string_view id) {
    const auto found = std::find_if(
        presets().begin(), presets().end(), [&](const auto& preset) { return preset.id == id; });
    return found == presets().end() ? nullptr : &*found;
}

std::string preset_names() {
    std::string names;
    for (const auto& preset : presets())
        names += (names.empty() ? "" : ", ") + std::string(preset.id);
    return names;
}

void apply_preset(core::Service& service, const Preset& preset) {
    service.name = preset.name;
    service.url = preset.url;
    service.issuer = preset.issuer;
    service.authorization_endpoint = preset.authorization_endpoint;
    service.token_endpoint = preset.token_endpoint;
    service.revocation_endpoint = preset.revocation_endpoint;
    service.scope = preset.scope;
    service.token_path = preset.token_path;
    service.authorization_origins.assign(preset.origins.begin(), preset.origins.end());
    service.authorize_parameters.assign(
        preset.authorize_parameters.begin(), preset.authorize_parameters.end());
    if (!preset.registers_us) service.auth = core::ClientAuth::client_secret_post;
}

} // namespace consentgate::app::admin
