// Takes what the options of `idp add` and `idp set` say of an identity provider.
#include "admin_idps.h"

#include "idp_presets.h"
#include "near_words.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/scope.h"
#include "consentgate/core/signin/client_key.h"
#include "consentgate/core/signin/graph.h"
#include "consentgate/core/upstream/service_options.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/identity_providers.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

using core::IdentityProvider;
using Texts = std::vector<std::string>;

constexpr std::size_t max_listed = 20;

// fail: throws UsageError
void require(const core::Checked& valid, const std::string& option = {}) {
    if (!valid)
        throw UsageError((option.empty() ? "" : "--" + option + ": ") + valid.error().message);
}

// A word of an enum, by the function that knows them.
template <class Enum>
void apply_word(
    const Arguments& arguments, const char* option, std::optional<Enum> (*of)(std::string_view),
    const char* words, Enum& field) {
    const auto word = arguments.one(option);
    if (!word) return;
    const auto value = of(*word);
    if (!value) throw UsageError(std::string("--") + option + " is " + words);
    field = *value;
}

void apply_claims(IdentityProvider& idp, const Arguments& arguments) {
    if (const auto claim = arguments.one("groups-claim")) {
        if (!claim->empty()) require(core::check_claim_name(*claim), "groups-claim");
        idp.groups_claim = *claim;
    }
    if (!arguments.has("keep")) return;
    const auto& preset = idp_preset(idp.kind);
    idp.kept_claims.assign(preset.kept_claims.begin(), preset.kept_claims.end());
    for (const auto& claim : arguments.all("keep")) {
        if (claim.empty()) continue;
        require(core::check_claim_name(claim), "keep");
        auto& kept = idp.kept_claims;
        if (std::find(kept.begin(), kept.end(), claim) == kept.end()) kept.push_back(claim);
    }
    if (idp.kept_claims.size() > max_listed) throw UsageError("--keep keeps 20 claims at most");
}

void apply_parameters(IdentityProvider& idp, const Arguments& arguments) {
    const auto parameters = arguments.all("authorize-param");
    for (const auto& parameter : parameters)
        require(core::check_signin_parameter(parameter), "authorize-param");
    idp.authorize_parameters =
        core::merge_authorize_parameters(std::move(idp.authorize_parameters), parameters);
}

// Google has a parameter for it, and GitLab gives a refresh token without.
void apply_offline_scope(
    IdentityProvider& idp, const core::ProviderMetadata& metadata, const Arguments& arguments) {
    const std::string offline = "offline_access";
    const auto holds = [&](const Texts& list) {
        return std::find(list.begin(), list.end(), offline) != list.end();
    };
    auto scopes = core::split(idp.scope, ' ');
    if (!idp.recheck_after && arguments.has("recheck")) std::erase(scopes, offline);
    const bool known = holds(metadata.scopes) || idp.kind == core::ProviderKind::entra;
    const bool wanted = idp.recheck_after && idp.kind != core::ProviderKind::google && known;
    if (wanted && !holds(scopes)) scopes.push_back(offline);
    idp.scope = core::join(scopes, " ");
}

void apply_recheck(IdentityProvider& idp, const Arguments& arguments) {
    constexpr std::int64_t most = 24 * 30;
    const auto hours = arguments.one("recheck");
    if (!hours) return;
    const auto read = core::parse_number(*hours);
    if (!read || *read > most) throw UsageError("--recheck takes hours, from 1 to 720, or 0");
    idp.recheck_after.reset();
    if (*read > 0) idp.recheck_after = core::Span(*read * 3600);
}

void apply_secret_end(IdentityProvider& idp, const Arguments& arguments) {
    const auto text = arguments.one("secret-expires");
    if (!text) return;
    const auto day = read_day(*text);
    if (!day && *text != "never")
        throw UsageError("--secret-expires takes a day, 2027-11-28, or never");
    idp.secret_expires_at = day;
}

// spec: docs/requirements_signin.md SI55
void apply_graph(IdentityProvider& idp, const Arguments& arguments) {
    if (arguments.has("no-graph-groups")) idp.graph_groups = false;
    if (!arguments.has("graph-groups")) return;
    if (arguments.has("no-graph-groups"))
        throw UsageError("name --graph-groups, or --no-graph-groups");
    if (idp.kind != core::ProviderKind::entra || idp.groups_claim != "groups")
        throw UsageError("--graph-groups is for --preset entra with the claim groups");
    if (core::graph_groups_url(idp.issuer).empty())
        throw UsageError("--graph-groups: no Microsoft Graph belongs to the issuer " + idp.issuer);
    idp.graph_groups = true;
}

void apply_graph_scope(IdentityProvider& idp) {
    auto scopes = core::split(idp.scope, ' ');
    std::erase(scopes, core::graph_scope);
    if (idp.graph_groups) scopes.emplace_back(core::graph_scope);
    idp.scope = core::join(scopes, " ");
}

core::ProviderKind chosen_kind(const Arguments& arguments) {
    const auto name = arguments.one("preset");
    if (!name) return core::ProviderKind::generic;
    const auto kind = core::provider_kind_of(*name);
    if (kind && *kind != core::ProviderKind::generic) return *kind;
    Texts known;
    for (const auto& preset : idp_presets()) known.emplace_back(core::name_of(preset.kind));
    throw UsageError(
        "--preset knows " + idp_preset_names() + ", not '" + *name + "'" +
        did_you_mean(*name, known));
}

// An issuer that is given by hand outweighs the preset's.
std::string chosen_issuer(const IdpPreset& preset, const Arguments& arguments) {
    const auto given = [&](const char* option) { return arguments.one(option).value_or(""); };
    const bool by_hand = arguments.has("issuer");
    for (const auto* option : {"url", "realm", "tenant"}) {
        if (!arguments.has(option)) continue;
        if (preset.kind == core::ProviderKind::generic)
            throw UsageError(std::string("--") + option + " is for a preset: name the --issuer");
        if (by_hand) throw UsageError(std::string("name the --issuer, or --") + option);
    }
    auto issuer = given("issuer");
    if (!by_hand) {
        auto made = preset_issuer(preset, given("url"), given("realm"), given("tenant"));
        if (!made) throw UsageError(made.error().message);
        issuer = std::move(*made);
    }
    if (issuer.empty()) throw UsageError("idp add needs --issuer URL (or --preset NAME)");
    require(core::check_provider_issuer(issuer), "issuer");
    return issuer;
}

std::vector<Option> shared_options() {
    return {
        {"title", "TEXT", "on the button: Sign in with TEXT; its id when absent"},
        {"client-id", "ID", "the client that you registered there"},
        {"client-secret-file", "FILE", "its secret; - reads the standard input"},
        {"key-file", "FILE", "its private key in PEM, in place of a secret (private_key_jwt)"},
        {"secret-expires", "DAY", "when the secret ends there, 2027-11-28; or never"},
        {"auth-method", "WORD", "client_secret_basic or client_secret_post"},
        {"scope", "SCOPES", "to ask for besides openid, email, profile and groups"},
        {"groups-claim", "CLAIM",
         "where the groups are: a claim's name, or a JSON Pointer like /realm_access/roles"},
        {"email", "WORD",
         "which addresses count in rules: verified, always (you vouch for them) or never"},
        {"keep", "CLAIM...", "a claim to keep for rules"},
        {"logout", "WORD", "signing out there ends: sessions, person or browser"},
        {"recheck", "HOURS",
         "ask the provider about a person, when their app goes on and it is that long ago; 0: "
         "never"},
        {"userinfo", "WORD",
         "ask its userinfo endpoint: auto (when a claim is missing), always "
         "or never"},
        {"authorize-param", "NAME=VALUE...", "people are sent there with it; NAME= takes it away"},
        {"domain", "DOMAIN...", "google: people of this domain may sign in"},
        {"any-account", "", "google, github, gitlab.com: whoever has an account may sign in"},
        {"member-of", "GROUP...",
         "people of this group alone may sign in (github: ORG or ORG/TEAM)"},
        {"allow-tenant", "GUID...", "entra, many tenants: people of this one may sign in"},
        {"graph-groups", "",
         "entra: ask Microsoft Graph for groups that a token leaves out (more than 200)"},
        {"no-graph-groups", "", "undo --graph-groups"}};
}

} // namespace

std::vector<Option> idp_add_options() {
    std::vector<Option> options{
        {"preset", "NAME", "what is known of a provider: " + idp_preset_names()},
        {"issuer", "URL", "as the provider writes it, to the character"},
        {"url", "URL", "keycloak, okta, gitlab, github: where it is"},
        {"realm", "NAME", "keycloak: the realm"},
        {"tenant", "GUID", "entra: your directory; or organizations"}};
    const auto shared = shared_options();
    options.insert(options.end(), shared.begin(), shared.end());
    return options;
}

std::vector<Option> idp_set_options() {
    auto options = shared_options();
    options.insert(
        options.begin(), {"issuer", "URL",
                          "the provider's new name for itself: its people become "
                          "others"});
    return options;
}

IdentityProvider read_new_idp(Context& context, const Arguments& arguments) {
    IdentityProvider idp;
    idp.id = core::IdpId(arguments.words.front());
    require(core::check_idp_id(idp.id.text));
    idp.kind = chosen_kind(arguments);
    const auto& preset = idp_preset(idp.kind);
    idp.title = preset.title.empty() ? idp.id.text : preset.title;
    idp.issuer = chosen_issuer(preset, arguments);
    idp.groups_claim = preset.groups_claim;
    idp.kept_claims.assign(preset.kept_claims.begin(), preset.kept_claims.end());
    idp.prompts.assign(preset.prompts.begin(), preset.prompts.end());
    idp.created_at = context.now;
    apply_idp_options(idp, arguments);
    require(check_named_members(idp));
    if (!arguments.has("client-id"))
        throw UsageError(
            "idp add needs --client-id: register consentgate there as a confidential web client, "
            "with the redirect address\n  " +
            core::signin_callback_url(context.config().policy.issuer, idp.id));
    if (!arguments.has("client-secret-file") && !arguments.has("key-file"))
        throw UsageError("idp add needs the client's secret: --client-secret-file FILE, or - for "
                         "the standard input; or its private key: --key-file FILE");
    return idp;
}

void apply_idp_options(IdentityProvider& idp, const Arguments& arguments) {
    if (const auto title = arguments.one("title")) {
        require(core::check_idp_title(*title), "title");
        idp.title = *title;
    }
    if (const auto client = arguments.one("client-id")) {
        if (client->empty() || client->size() > 2048 || core::has_control(*client))
            throw UsageError("--client-id is 1 to 2048 characters");
        idp.client_id = *client;
    }
    apply_claims(idp, arguments);
    apply_word(
        arguments, "email", core::email_trust_of, "verified, always or never", idp.email_trust);
    apply_word(
        arguments, "logout", core::logout_effect_of, "sessions, person or browser", idp.logout);
    apply_recheck(idp, arguments);
    apply_word(arguments, "userinfo", core::userinfo_use_of, "auto, always or never", idp.userinfo);
    apply_parameters(idp, arguments);
    apply_idp_fence(idp, arguments);
    apply_graph(idp, arguments);
    apply_secret_end(idp, arguments);
}

void apply_idp_metadata(
    IdentityProvider& idp, const core::ProviderMetadata& metadata, const Arguments& arguments) {
    const auto holds = [](const auto& list, const auto& word) {
        return std::find(list.begin(), list.end(), word) != list.end();
    };
    const auto more = arguments.one("scope");
    if (more && !more->empty() && !core::ScopeSet::parse(*more))
        throw UsageError("--scope takes scope names, separated by blanks");
    if (more || idp.scope.empty()) {
        Texts scopes{"openid", "email", "profile"};
        if (!idp.has_id_tokens()) scopes = {"read:user", "user:email", "read:org"};
        if (!idp.groups_claim.empty() && holds(metadata.scopes, "groups"))
            scopes.emplace_back("groups");
        for (const auto& scope : core::split(more.value_or(""), ' '))
            if (!holds(scopes, scope)) scopes.push_back(scope);
        idp.scope = core::join(scopes, " ");
    }
    apply_graph_scope(idp);
    apply_offline_scope(idp, metadata, arguments);
    using core::ClientAuth;
    const bool by_hand = arguments.has("auth-method");
    if (idp.auth == ClientAuth::private_key_jwt) {
        if (by_hand) throw UsageError("--auth-method is for a client with a secret");
        if (!holds(metadata.auth_methods, idp.auth))
            throw std::runtime_error(
                idp.issuer + ": it takes no client with a key "
                             "(private_key_jwt)");
    } else if (by_hand) {
        const auto auth = core::client_auth_of(*arguments.one("auth-method"));
        if (auth != ClientAuth::client_secret_basic && auth != ClientAuth::client_secret_post)
            throw UsageError("--auth-method is client_secret_basic or client_secret_post");
        idp.auth = *auth;
    } else if (!holds(metadata.auth_methods, idp.auth)) {
        const auto auth = idp.auth == ClientAuth::client_secret_basic
                              ? ClientAuth::client_secret_post
                              : ClientAuth::client_secret_basic;
        if (!holds(metadata.auth_methods, auth))
            throw std::runtime_error(
                idp.issuer + ": it takes no client with a secret (client_secret_basic, "
                             "client_secret_post)");
        idp.auth = auth;
    }
}

void apply_idp_secret(
    usecase::Dependencies& deps, IdentityProvider& idp, const Arguments& arguments) {
    const auto file = arguments.one("key-file");
    if (file && arguments.has("client-secret-file"))
        throw UsageError("name the --client-secret-file, or the --key-file");
    const auto secret = file ? sys::read_secret_file(*file) : read_client_secret(arguments);
    if (secret.empty()) return;
    if (file) require(core::check_client_key(secret), "key-file");
    const bool had_key = idp.auth == core::ClientAuth::private_key_jwt;
    if (file)
        idp.auth = core::ClientAuth::private_key_jwt;
    else if (had_key)
        idp.auth = core::ClientAuth::client_secret_basic;
    usecase::seal_client_secret(deps, idp, secret);
    if (!arguments.has("secret-expires")) idp.secret_expires_at.reset(); // said of the former one
}

} // namespace consentgate::app::admin
