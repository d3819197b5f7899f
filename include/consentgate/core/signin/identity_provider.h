// An identity provider, in short an idp: where people sign in with their organisation's account. A
// row that the operator makes; a worker writes its keys alone.
// spec: OpenID Connect Core 1.0; docs/requirements_signin.md SI1, SI7
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// The preset that the operator chose; provider_presets.h has what each is.
enum class ProviderKind { generic, keycloak, entra, google, okta, gitlab, github };
std::string_view name_of(ProviderKind kind);
std::optional<ProviderKind> provider_kind_of(std::string_view name);

// When an e-mail address counts, in rules and in front of servers.
enum class EmailTrust {
    verified, // the provider says that it has verified it
    always,   // the operator vouches for every address
    never,
};
std::string_view name_of(EmailTrust trust);
std::optional<EmailTrust> email_trust_of(std::string_view name);

// A provider says that somebody signed out there; these end here.
enum class LogoutEffect {
    sessions, // the sign-ins that it names, and the sessions that came of them
    person,   // all of that person's
    browser,  // the sign-ins alone
};
std::string_view name_of(LogoutEffect effect);
std::optional<LogoutEffect> logout_effect_of(std::string_view name);

// When the userinfo endpoint is asked; automatic: for a claim that the ID token lacks.
enum class UserinfoUse { automatic, always, never };
std::string_view name_of(UserinfoUse use); // auto, always, never
std::optional<UserinfoUse> userinfo_use_of(std::string_view name);

struct IdentityProvider {
    IdpId id;           // the operator's word: 1 to 64 of a-z 0-9 - _, never changes
    std::string title;  // on the button, UTF-8, 1 to 60 characters
    std::string issuer; // to the character; for many tenants of entra it holds {tenantid}
    ProviderKind kind = ProviderKind::generic;
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string jwks_uri;          // empty: it signs nothing, as github
    std::string userinfo_endpoint; // empty: none, as the next
    std::string end_session_endpoint;
    std::string client_id; // ours, there
    ClientAuth auth = ClientAuth::client_secret_basic;
    std::string client_secret;                  // ciphertext, bound to the id
    KeyId key_id;                               // the server key it is encrypted with
    std::optional<Instant> secret_expires_at{}; // as the operator said; absent: unknown
    std::string scope;                          // what is asked for, openid in it
    // A claim at the top by its name, or a JSON Pointer (RFC 6901), which begins with /. Empty: the
    // provider tells no groups.
    std::string groups_claim;
    EmailTrust email_trust = EmailTrust::verified;
    std::vector<std::string> kept_claims{}; // for rules about claims
    LogoutEffect logout = LogoutEffect::sessions;
    // A person is asked about there when the last good word is older; absent: never.
    std::optional<Span> recheck_after{};
    UserinfoUse userinfo = UserinfoUse::automatic;
    std::vector<std::string> authorize_parameters{}; // NAME=VALUE, besides ours
    // A fence around a provider that anybody can join: GUIDs of tenants at entra, domains (the
    // claim hd) at google; any_account: the operator wants everybody.
    std::vector<std::string> allowed_tenants{};
    std::vector<std::string> domains{};
    bool any_account = false;
    bool graph_groups = false; // entra: groups that a token leaves out are asked for at Graph
    std::vector<std::string> signing_algorithms{}; // of its ID tokens; those that we have too
    std::vector<std::string> prompts{};            // values of `prompt` that it announced
    bool sends_iss = false; // it announced that its answers name their issuer (RFC 9207)
    // Its keys, a JWK set as it was sent. Written by themselves, so that they raise no version.
    std::string jwks{};
    std::optional<Instant> jwks_expires_at{};
    std::optional<Instant> jwks_asked_at{}; // by a worker that met an unknown key
    bool active = true;
    std::int64_t version = 0; // raised by every change of the operator's
    Instant created_at{};

    std::string client_secret_aad() const; // of client_secret, for aead.h
    // Many tenants of entra: the issuer names the place of a tenant's id.
    bool has_many_tenants() const;
    // It obeys max_age, prompt=login and acr_values.
    bool gives_proof() const {
        return kind != ProviderKind::google && kind != ProviderKind::github;
    }
    // It proves people by ID tokens; GitHub by its own word about an access token.
    bool has_id_tokens() const { return kind != ProviderKind::github; }
};

inline constexpr std::string_view tenant_place = "{tenantid}"; // in an issuer

// ---- what an operator may say; the message of a refusal is for the operator ---------------------

// 1 to 64 of a-z, 0-9, - and _, and none of the words that rules have for others.
// spec: docs/requirements_signin.md SI1
Checked check_idp_id(std::string_view id);
Checked check_idp_title(std::string_view title); // 1 to 60 characters, no control characters
// A name, or a JSON Pointer. spec: docs/requirements_signin.md SI7
Checked check_claim_name(std::string_view claim);
// in: text  NAME=VALUE. Names that we send ourselves, and those that would change how the person
//           comes back, are refused. spec: docs/requirements_signin.md SI7, SI20
Checked check_signin_parameter(std::string_view text);

// The addresses that an operator enters at the provider. in: issuer  ours
std::string signin_callback_url(std::string_view issuer, const IdpId& idp);
std::string backchannel_logout_url(std::string_view issuer, const IdpId& idp);

} // namespace consentgate::core
