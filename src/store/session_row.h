// A session's columns, for the statements of sql_sessions and sql_tokens. Private to this room.
#pragma once

#include "connection.h"

#include "consentgate/core/access.h"

namespace consentgate::store {

#define SESSION_COLUMNS                                                                                                \
    "s.id, s.flow_id, s.token_hash, s.browser_hash, s.client_id, s.identity_kind, s.identity_value, s.scope, s.resource, " \
    "s.created_at, s.expires_at, s.revoked_at, s.token_expires_at, s.redirect_uri"

struct SessionRow {
    std::string id, flow_id, token_hash, browser_hash, client_id, identity_kind;
    MaybeBlob identity_value, redirect_uri;
    Blob scope, resource;
    Poco::Int64 created_at = 0, expires_at = 0;
    MaybeTime revoked_at, token_expires_at;
};

void extract(Row& columns, SessionRow& row);
core::Session session_of(const SessionRow& row);

// The session with the standing of its client and of its virtual key, where there is one.
#define SESSION_VIEW_COLUMNS SESSION_COLUMNS ", c.name, c.active, v.id, v.name, v.key_hash, v.active, v.services, v.created_at, v.expires_at"
#define SESSION_VIEW_JOINS "LEFT JOIN client c ON c.id = s.client_id LEFT JOIN virtual_key v ON v.id = s.virtual_key_id "

struct SessionViewRow {
    SessionRow session;
    MaybeBlob client_name, key_name, services;
    Poco::Nullable<int> client_active, key_active;
    MaybeText key_id, key_hash;
    MaybeTime key_created, key_expires;
};

void extract(Row& columns, SessionViewRow& row);
core::SessionView session_view_of(const SessionViewRow& row);

} // namespace consentgate::store
