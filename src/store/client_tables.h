// The tables of clients; private to this module.
#pragma once

#include "client_url_column.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::Client> = table<core::Client>(
    "client", column("id", &core::Client::id), blob("name", &core::Client::name),
    blob("redirect_uris", &core::Client::redirect_uris), blob("scope", &core::Client::scope),
    column("by_operator", &core::Client::by_operator), column("active", &core::Client::active),
    blob("metadata", &core::Client::metadata), column("created_at", &core::Client::created_at),
    column("last_used_at", &core::Client::last_used_at), column("refresh", &core::Client::refresh),
    column("auth_method", &core::Client::auth),
    null_if_empty(column("secret_hash", &core::Client::secret)), blob("jwks", &core::Client::jwks),
    blob("jwks_uri", &core::Client::jwks_uri),
    column("jwks_expires_at", &core::Client::jwks_expires_at),
    bare("jwks_asked_at", Column::Kind::number),
    null_if_empty(column("registered_from", &core::Client::registered_from)),
    client_url(&core::Client::id), column("dropped_redirects", &core::Client::dropped_redirects));

// How long what a document says of a client stands.
struct ClientDocument {
    core::ClientId id;
    core::Instant expires_at{};
};
template <>
inline constexpr auto table_of<ClientDocument> = table<ClientDocument>(
    "client_document", column("id", &ClientDocument::id),
    column("expires_at", &ClientDocument::expires_at));

} // namespace consentgate::store
