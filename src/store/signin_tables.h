// The tables of people who sign in at an identity provider, of browsers on the way there, and of
// their sign-ins; private to this module.
#pragma once

#include "flow_table.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/provider_grant.h"
#include "consentgate/core/signin/signin_trial.h"

namespace consentgate::store {

inline void restore(Row& row, std::optional<core::SigninEnd>& end) {
    std::optional<std::string> word;
    row.read_into(word);
    if (word) end = core::signin_end_of(*word).value_or(core::SigninEnd::signed_out);
}
inline std::optional<std::string_view> stored(const std::optional<core::SigninEnd>& end) {
    return end ? std::optional(name_of(*end)) : std::nullopt;
}

// A JSON object, of each claim an array of its values.
inline OwnedBytes claims_text(const core::KeptClaims& claims) {
    core::JsonObject object;
    for (const auto& [name, values] : claims) {
        core::JsonArray array;
        for (const auto& value : values) array.emplace_back(value);
        object.set(name, std::move(array));
    }
    return {claims.empty() ? std::string() : core::json_string(object)};
}
template <class Get> struct ClaimsColumn : BlobColumn<Get> {
    template <class Entity> OwnedBytes bind(const Entity& entity) const {
        return claims_text(std::invoke(this->get, entity));
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        std::string found;
        row.read_into(from_blob(found));
        const auto object = core::parse_json_object(found);
        if (!object) return;
        for (const auto& member : object->members())
            std::invoke(this->get, entity)
                .emplace_back(
                    member.name, object->texts(member.name).value_or(std::vector<std::string>{}));
    }
};
template <class Get> constexpr ClaimsColumn<Get> claims_column(const char* name, Get get) {
    return {{name, get}};
}

template <>
inline constexpr auto table_of<core::Person> = table<core::Person>(
    "person", fixed(column("id", &core::Person::id)), column("idp_id", &core::Person::idp),
    blob("issuer", &core::Person::issuer), blob("subject", &core::Person::subject),
    blob("name", &core::Person::name), blob("email", &core::Person::email),
    blob("group_names", &core::Person::groups), column("groups_known", &core::Person::groups_known),
    claims_column("claims", &core::Person::claims),
    column("first_signin_at", &core::Person::first_signin),
    column("last_signin_at", &core::Person::last_signin),
    column("checked_at", &core::Person::checked_at),
    column("snapshot_at", &core::Person::snapshot_at),
    column("disabled_at", &core::Person::disabled_at),
    fixed(column("version", &core::Person::version)));

template <>
inline constexpr auto table_of<core::SigninState> = table<core::SigninState>(
    "signin_state", column("state_hash", &core::SigninState::state),
    column("browser_hash", &core::SigninState::browser), column("idp_id", &core::SigninState::idp),
    column("idp_version", &core::SigninState::idp_version),
    column("flow_id", &core::SigninState::flow), column("nonce_hash", &core::SigninState::nonce),
    blob("verifier", &core::SigninState::verifier), column("key_id", &core::SigninState::key_id),
    column("max_age", &core::SigninState::max_age), blob("acr", &core::SigninState::acr),
    column("expires_at", &core::SigninState::expires_at),
    column("trial_hash", &core::SigninState::trial));

template <>
inline constexpr auto table_of<core::SigninTrial> = table<core::SigninTrial>(
    "signin_trial", column("link_hash", &core::SigninTrial::link),
    column("idp_id", &core::SigninTrial::idp),
    later(column("opened_at", &core::SigninTrial::opened_at)),
    later(blob("report", &core::SigninTrial::report)), column("key_id", &core::SigninTrial::key_id),
    column("expires_at", &core::SigninTrial::expires_at));

template <>
inline constexpr auto table_of<core::BrowserSignin> = table<core::BrowserSignin>(
    "browser_signin", column("id", &core::BrowserSignin::id),
    column("cookie_hash", &core::BrowserSignin::cookie),
    column("person_id", &core::BrowserSignin::person), column("idp_id", &core::BrowserSignin::idp),
    blob("provider_session", &core::BrowserSignin::provider_session),
    column("auth_time", &core::BrowserSignin::auth_time), blob("acr", &core::BrowserSignin::acr),
    column("signed_in_at", &core::BrowserSignin::signed_in_at),
    column("expires_at", &core::BrowserSignin::expires_at),
    later(column("ended_at", &core::BrowserSignin::ended_at)),
    later(column("ended_by", &core::BrowserSignin::ended_by)),
    derived(
        "sid_hash",
        [](const core::BrowserSignin& signin) {
            const auto hash = signin.sid_hash();
            return hash ? std::optional(hash->hex) : std::nullopt;
        }),
    bare("sessions", Column::Kind::number));

template <>
inline constexpr auto table_of<core::ProviderGrant> = table<core::ProviderGrant>(
    "provider_grant", column("person_id", &core::ProviderGrant::person),
    blob("refresh_token", &core::ProviderGrant::refresh_token),
    column("key_id", &core::ProviderGrant::key_id), bare("lease", Column::Kind::text),
    later(column("lease_until", &core::ProviderGrant::lease_until)));

// Call inside write(). out: false: the person is not known, or a later ID token was here first
bool renew_person(Database& db, const core::Person& person);

} // namespace consentgate::store
