// Columns of a service and of an upstream token, by the names of their tables, because some
// statements read both. Private to this module.
#pragma once

#include "database.h"

#include "consentgate/core/upstream/service.h"

namespace consentgate::store {

#define SERVICE_COLUMNS                                                                                                   \
    "service.name, service.url, service.issuer, service.authorization_endpoint, service.token_endpoint, "                 \
    "service.registration_endpoint, service.revocation_endpoint, service.resource, service.scope, service.registration, " \
    "service.client_id, service.auth_method, service.client_secret, service.key_id, service.sends_iss, service.active, "  \
    "service.id, service.version, service.created_at"

#define UPSTREAM_TOKEN_COLUMNS                                                                               \
    "upstream_token.id, upstream_token.owner, upstream_token.service_id, upstream_token.access_token, "      \
    "upstream_token.refresh_token, upstream_token.key_id, upstream_token.scope, upstream_token.expires_at, " \
    "upstream_token.version, upstream_token.failures, upstream_token.retry_at, upstream_token.broken_at, "   \
    "upstream_token.created_at, upstream_token.updated_at, upstream_token.last_used_at, upstream_token.ended_at"

core::Service read_service(Row& columns);
core::LinkedAccount read_account(Row& columns); // of a row that a join did not find: without an id

// All of these: call inside write().
void insert_account(
    Database& db, const core::LinkedAccount& token, const std::string& owner, core::Instant now);
void transfer_accounts(
    Database& db, const std::string& from, const std::string& to, core::Instant now);
bool end_account_row(Database& db, const std::string& id, core::Instant now); // false: ended before
void end_accounts_of(Database& db, const std::string& owner, core::Instant now);

} // namespace consentgate::store
