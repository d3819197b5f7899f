#include "consentgate/core/signin/identity_provider.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace consentgate::core {
namespace {

constexpr std::size_t max_id = 64, max_title = 60, max_claim_bytes = 255,
                      max_parameter_bytes = 1024;

Error unusable(const std::string& message) {
    return make_error(ErrorCode::server_error, PublicMessage{message});
}

template <std::size_t Size>
bool one_of(std::string_view word, const std::array<std::string_view, Size>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

template <class Enum, std::size_t Size>
std::optional<Enum> by_name(std::string_view name, const std::array<Enum, Size>& all) {
    for (const auto known : all) {
        if (name_of(known) == name) return known;
    }
    return std::nullopt;
}

std::string signin_url(std::string_view issuer, const IdpId& idp, std::string_view end) {
    return std::string(issuer) + "/oauth/signin/" + idp.text + "/" + std::string(end);
}

} // namespace

std::string_view name_of(ProviderKind kind) {
    switch (kind) {
    case ProviderKind::generic: return "generic";
    case ProviderKind::keycloak: return "keycloak";
    case ProviderKind::entra: return "entra";
    case ProviderKind::google: return "google";
    case ProviderKind::okta: return "okta";
    case ProviderKind::gitlab: return "gitlab";
    case ProviderKind::github: return "github";
    }
    return "generic";
}

std::optional<ProviderKind> provider_kind_of(std::string_view name) {
    using enum ProviderKind;
    return by_name(name, std::array{generic, keycloak, entra, google, okta, gitlab, github});
}

std::string_view name_of(EmailTrust trust) {
    switch (trust) {
    case EmailTrust::verified: return "verified";
    case EmailTrust::always: return "always";
    case EmailTrust::never: return "never";
    }
    return "never";
}

std::optional<EmailTrust> email_trust_of(std::string_view name) {
    return by_name(name, std::array{EmailTrust::verified, EmailTrust::always, EmailTrust::never});
}

std::string_view name_of(LogoutEffect effect) {
    switch (effect) {
    case LogoutEffect::sessions: return "sessions";
    case LogoutEffect::person: return "person";
    case LogoutEffect::browser: return "browser";
    }
    return "sessions";
}

std::optional<LogoutEffect> logout_effect_of(std::string_view name) {
    using enum LogoutEffect;
    return by_name(name, std::array{sessions, person, browser});
}

std::string_view name_of(UserinfoUse use) {
    switch (use) {
    case UserinfoUse::automatic: return "auto";
    case UserinfoUse::always: return "always";
    case UserinfoUse::never: return "never";
    }
    return "auto";
}

std::optional<UserinfoUse> userinfo_use_of(std::string_view name) {
    using enum UserinfoUse;
    return by_name(name, std::array{automatic, always, never});
}

std::string IdentityProvider::client_secret_aad() const {
    return associated_data("idp", id.text, "client_secret");
}

bool IdentityProvider::has_many_tenants() const {
    return kind == ProviderKind::entra && issuer.find(tenant_place) != std::string::npos;
}

Checked check_idp_id(std::string_view id) {
    static constexpr std::array<std::string_view, 6> taken = {"any",  "remote",     "keys",
                                                              "team", "unverified", "everyone"};
    const bool fits =
        !id.empty() && id.size() <= max_id && std::all_of(id.begin(), id.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
    if (!fits) return unusable("the id is 1 to 64 of a-z, 0-9, - and _");
    if (one_of(id, taken)) return unusable("'" + std::string(id) + "' has a meaning in rules");
    return Nothing{};
}

Checked check_idp_title(std::string_view title) {
    if (!valid_utf8(title) || has_control(title) || trim(title).empty() ||
        count_characters(title) > max_title)
        return unusable("the title is 1 to 60 characters on one line");
    return Nothing{};
}

Checked check_claim_name(std::string_view claim) {
    if (claim.empty() || claim.size() > max_claim_bytes || !valid_utf8(claim) || has_control(claim))
        return unusable("a claim's name is 1 to 255 bytes on one line");
    for (std::size_t at = 0; claim.front() == '/' && at < claim.size(); ++at) {
        const auto next = at + 1 < claim.size() ? claim[at + 1] : ' ';
        if (claim[at] == '~' && next != '0' && next != '1')
            return unusable("in a JSON Pointer ~ is written ~0, and / in a name ~1");
    }
    return Nothing{};
}

Checked check_signin_parameter(std::string_view text) {
    static constexpr std::array<std::string_view, 15> ours = {
        "response_type", "client_id",      "redirect_uri",
        "state",         "code_challenge", "code_challenge_method",
        "scope",         "nonce",          "prompt",
        "max_age",       "acr_values",     "login_hint",
        "id_token_hint", "claims",         "client_secret"};
    static constexpr std::array<std::string_view, 3> others = {
        "request", "request_uri", "response_mode"};
    const auto equals = text.find('=');
    const auto name = text.substr(0, std::min(equals, text.size()));
    if (equals == std::string_view::npos) return unusable("it is not NAME=VALUE");
    if (text.size() > max_parameter_bytes || !valid_utf8(text) || has_control(text))
        return unusable("it is longer than 1024 bytes, or holds control characters");
    const bool named = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    });
    if (!named) return unusable("its name may have letters, digits, _ - and .");
    if (one_of(name, ours)) return unusable("consentgate decides on " + std::string(name));
    if (one_of(name, others))
        return unusable(std::string(name) + " would change how the person comes back");
    return Nothing{};
}

std::string signin_callback_url(std::string_view issuer, const IdpId& idp) {
    return signin_url(issuer, idp, "callback");
}

std::string backchannel_logout_url(std::string_view issuer, const IdpId& idp) {
    return signin_url(issuer, idp, "backchannel");
}

} // namespace consentgate::core
