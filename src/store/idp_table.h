// The table of identity providers; private to this module.
#pragma once

#include "flow_table.h"

#include "consentgate/core/signin/identity_provider.h"

namespace consentgate::store {

inline void restore(Row& row, core::ProviderKind& kind) {
    std::string word;
    row.read_into(word);
    kind = core::provider_kind_of(word).value_or(core::ProviderKind::generic);
}
inline void restore(Row& row, core::EmailTrust& trust) {
    std::string word;
    row.read_into(word);
    trust = core::email_trust_of(word).value_or(core::EmailTrust::never);
}
inline void restore(Row& row, core::LogoutEffect& effect) {
    std::string word;
    row.read_into(word);
    effect = core::logout_effect_of(word).value_or(core::LogoutEffect::person);
}
inline void restore(Row& row, core::UserinfoUse& use) {
    std::string word;
    row.read_into(word);
    use = core::userinfo_use_of(word).value_or(core::UserinfoUse::automatic);
}

// A long text cannot be unique on every engine, and its hash can.
inline std::string issuer_hash(const core::IdentityProvider& idp) {
    return core::sha256(idp.issuer).hex;
}

// The column of the address of keys cannot be NULL, so the text for none is a word.
template <class Get> struct KeysUrlColumn : BlobColumn<Get> {
    template <class Entity> OwnedBytes bind(const Entity& entity) const {
        const auto& url = std::invoke(this->get, entity);
        return {url.empty() ? "-" : url};
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        auto& url = std::invoke(this->get, entity);
        row.read_into(from_blob(url));
        if (url == "-") url.clear();
    }
};
template <class Get> constexpr KeysUrlColumn<Get> keys_url_column(const char* name, Get get) {
    return {{name, get}};
}

template <>
inline constexpr auto table_of<core::IdentityProvider> = table<core::IdentityProvider>(
    "idp", fixed(column("id", &core::IdentityProvider::id)),
    blob("title", &core::IdentityProvider::title), blob("issuer", &core::IdentityProvider::issuer),
    derived("issuer_hash", issuer_hash), column("kind", &core::IdentityProvider::kind),
    blob("authorization_endpoint", &core::IdentityProvider::authorization_endpoint),
    blob("token_endpoint", &core::IdentityProvider::token_endpoint),
    keys_url_column("jwks_uri", &core::IdentityProvider::jwks_uri),
    blob("userinfo_endpoint", &core::IdentityProvider::userinfo_endpoint),
    blob("end_session_endpoint", &core::IdentityProvider::end_session_endpoint),
    blob("client_id", &core::IdentityProvider::client_id),
    column("auth_method", &core::IdentityProvider::auth),
    blob("client_secret", &core::IdentityProvider::client_secret),
    column("key_id", &core::IdentityProvider::key_id),
    column("secret_expires_at", &core::IdentityProvider::secret_expires_at),
    blob("scope", &core::IdentityProvider::scope),
    blob("groups_claim", &core::IdentityProvider::groups_claim),
    column("email_trust", &core::IdentityProvider::email_trust),
    blob("kept_claims", &core::IdentityProvider::kept_claims),
    column("logout_effect", &core::IdentityProvider::logout),
    column("userinfo_use", &core::IdentityProvider::userinfo),
    blob("authorize_parameters", &core::IdentityProvider::authorize_parameters),
    blob("allowed_tenants", &core::IdentityProvider::allowed_tenants),
    blob("domains", &core::IdentityProvider::domains),
    column("any_account", &core::IdentityProvider::any_account),
    blob("signing_algorithms", &core::IdentityProvider::signing_algorithms),
    blob("prompts", &core::IdentityProvider::prompts),
    column("sends_iss", &core::IdentityProvider::sends_iss),
    blob("jwks", &core::IdentityProvider::jwks),
    column("jwks_expires_at", &core::IdentityProvider::jwks_expires_at),
    column("jwks_asked_at", &core::IdentityProvider::jwks_asked_at),
    column("active", &core::IdentityProvider::active),
    fixed(column("version", &core::IdentityProvider::version)),
    fixed(column("created_at", &core::IdentityProvider::created_at)),
    column("recheck_after", &core::IdentityProvider::recheck_after),
    column("graph_groups", &core::IdentityProvider::graph_groups));

} // namespace consentgate::store
