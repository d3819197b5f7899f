// The tables of upstream services, of linked accounts and of people on the way to a service and
// back; private to this module.
#pragma once

#include "columns.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::Service> = table<core::Service>(
    "service", fixed(column("id", &core::Service::id)), blob("name", &core::Service::name),
    blob("url", &core::Service::url), blob("issuer", &core::Service::issuer),
    blob("authorization_endpoint", &core::Service::authorization_endpoint),
    blob("token_endpoint", &core::Service::token_endpoint),
    blob("registration_endpoint", &core::Service::registration_endpoint),
    blob("revocation_endpoint", &core::Service::revocation_endpoint),
    blob("resource", &core::Service::resource), blob("scope", &core::Service::scope),
    column("registration", &core::Service::registration),
    blob("client_id", &core::Service::client_id), column("auth_method", &core::Service::auth),
    blob("client_secret", &core::Service::client_secret), column("key_id", &core::Service::key_id),
    column("sends_iss", &core::Service::sends_iss), column("active", &core::Service::active),
    fixed(column("version", &core::Service::version)),
    fixed(column("created_at", &core::Service::created_at)),
    column("by_hand", &core::Service::by_hand), column("callback", &core::Service::callback),
    null_if_empty(column("registration_id", &core::Service::registration_id)),
    blob("authorization_origins", &core::Service::authorization_origins),
    column("client_refused_at", &core::Service::client_refused_at),
    column("register_after", &core::Service::register_after),
    column("resource_refused", &core::Service::resource_refused),
    blob("authorize_parameters", &core::Service::authorize_parameters),
    blob("token_path", &core::Service::token_path), blob("key_header", &core::Service::key_header),
    column("client_secret_expires_at", &core::Service::client_secret_expires_at),
    column("renew_at", &core::Service::renew_at),
    blob("registration_client_uri", &core::Service::registration_client_uri),
    blob("registration_token", &core::Service::registration_token));

template <>
inline constexpr auto table_of<core::FormerRegistration> = table<core::FormerRegistration>(
    "former_registration", column("id", &core::FormerRegistration::id),
    column("service_id", &core::FormerRegistration::service),
    null_if_empty(column("registration_id", &core::FormerRegistration::registration)),
    blob("client_id", &core::FormerRegistration::client_id),
    column("auth_method", &core::FormerRegistration::auth),
    blob("client_secret", &core::FormerRegistration::client_secret),
    column("key_id", &core::FormerRegistration::key_id),
    column("ended_at", &core::FormerRegistration::ended_at),
    column("refused_at", &core::FormerRegistration::refused_at));

template <>
inline constexpr auto table_of<core::LinkedAccount> = table<core::LinkedAccount>(
    "upstream_token", column("id", &core::LinkedAccount::id),
    column("owner", &core::LinkedAccount::owner),
    column("service_id", &core::LinkedAccount::service),
    blob("access_token", &core::LinkedAccount::access_token),
    blob("refresh_token", &core::LinkedAccount::refresh_token),
    column("key_id", &core::LinkedAccount::key_id), blob("scope", &core::LinkedAccount::scope),
    column("expires_at", &core::LinkedAccount::expires_at),
    column("version", &core::LinkedAccount::version),
    column("created_at", &core::LinkedAccount::created_at),
    column("updated_at", &core::LinkedAccount::updated_at), bare("lease", Column::Kind::text),
    later(column("lease_until", &core::LinkedAccount::lease_until)),
    later(column("failures", &core::LinkedAccount::failures)),
    later(column("retry_at", &core::LinkedAccount::retry_at)),
    later(column("broken_at", &core::LinkedAccount::broken_at)),
    later(column("last_used_at", &core::LinkedAccount::last_used_at)),
    later(column("ended_at", &core::LinkedAccount::ended_at)),
    later(column("failure", &core::LinkedAccount::failure)),
    null_if_empty(column("registration_id", &core::LinkedAccount::registration)),
    column("seal", &core::LinkedAccount::seal),
    later(null_if_empty(column("sealed_for", &core::LinkedAccount::sealed_for))),
    later(column("odd_refusals", &core::LinkedAccount::odd_refusals)),
    later(column("odd_since", &core::LinkedAccount::odd_since)),
    later(column("doubted_at", &core::LinkedAccount::doubted_at)),
    later(column("doubts", &core::LinkedAccount::doubts)),
    later(column("doubts_since", &core::LinkedAccount::doubts_since)),
    later(column("failure_cause", &core::LinkedAccount::failure_cause)),
    null_if_empty(column("holder_hash", &core::LinkedAccount::holder_hash)),
    blob("holder_name", &core::LinkedAccount::holder_name));

template <>
inline constexpr auto table_of<core::OldSeals> = table<core::OldSeals>(
    "old_seals", column("id", &core::OldSeals::id),
    column("expires_at", &core::OldSeals::expires_at), column("key_id", &core::OldSeals::key_id),
    blob("mark", &core::OldSeals::mark));

template <>
inline constexpr auto table_of<core::UpstreamState> = table<core::UpstreamState>(
    "upstream_state", column("state_hash", &core::UpstreamState::state),
    column("browser_hash", &core::UpstreamState::browser),
    column("service_id", &core::UpstreamState::service),
    column("flow_id", &core::UpstreamState::flow),
    column("session_id", &core::UpstreamState::session),
    blob("verifier", &core::UpstreamState::verifier),
    column("key_id", &core::UpstreamState::key_id),
    column("expires_at", &core::UpstreamState::expires_at),
    column("callback", &core::UpstreamState::callback),
    null_if_empty(column("registration_id", &core::UpstreamState::registration)));

// All of these: call inside write().

// Replaces the account that the owner had at the service. One that is known to be somebody else's
// there ends, to be revoked.
void link_account(
    Database& db, const core::LinkedAccount& account, const core::Owner& owner, core::Instant now);
// in: accounts  sealed for the owner in them, as they were read with `from` for their owner; those
//               with ended_at are ended instead
void transfer_accounts(
    Database& db, const core::Owner& from, const std::vector<core::LinkedAccount>& accounts,
    core::Instant now);
bool end_account(Database& db, const std::string& id, core::Instant now); // false: ended before
void end_accounts_of(Database& db, const core::Owner& owner, core::Instant now);

} // namespace consentgate::store
