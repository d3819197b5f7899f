// A session's columns, for the statements of sql_sessions, sql_tokens and sql_resource_servers.
// Private to this module.
#pragma once

#include "database.h"

#include "consentgate/core/oauth/access.h"

namespace consentgate::store {

#define SESSION_COLUMNS                                                                                                    \
    "s.id, s.flow_id, s.token_hash, s.browser_hash, s.client_id, s.identity_kind, s.identity_value, s.scope, s.resource, " \
    "s.created_at, s.expires_at, s.revoked_at, s.token_expires_at, s.redirect_uri"

// The session with the standing of its client and of its virtual key, where there is one.
#define SESSION_VIEW_COLUMNS                                                                       \
    SESSION_COLUMNS                                                                                \
    ", c.name, c.active, v.id, v.name, v.key_hash, v.active, v.services, v.created_at, v.expires_at"
#define SESSION_VIEW_JOINS                                                                         \
    "LEFT JOIN client c ON c.id = s.client_id LEFT JOIN virtual_key v ON v.id = s.virtual_key_id "

// Of a row that a join did not find: without an id.
core::Session read_session(Row& columns);
core::SessionView read_session_view(Row& columns);

// By an access token that a refresh gave.
std::optional<core::SessionView> find_refreshed_session(Database& db, const core::Digest& token);
void insert_session(Database& db, const core::Session& session);

} // namespace consentgate::store
