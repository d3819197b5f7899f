#include "account_row.h"

#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

core::Service read_service(Row& columns) {
    core::Service service;
    std::string registration, auth;
    columns.read_into(
        from_blob(service.name), from_blob(service.url), from_blob(service.issuer),
        from_blob(service.authorization_endpoint), from_blob(service.token_endpoint),
        from_blob(service.registration_endpoint), from_blob(service.revocation_endpoint),
        from_blob(service.resource), from_blob(service.scope), registration,
        from_blob(service.client_id), auth, from_blob(service.client_secret), service.key_id,
        service.sends_iss, service.active, service.id, service.version, service.created_at);
    service.registration = core::registration_of(registration).value_or(core::Registration::given);
    service.auth = core::client_auth_of(auth).value_or(core::ClientAuth::none);
    return service;
}

core::LinkedAccount read_account(Row& columns) {
    core::LinkedAccount token;
    columns.read_into(
        token.id, token.owner, token.service, from_blob(token.access_token),
        from_blob(token.refresh_token), token.key_id, from_blob(token.scope), token.expires_at,
        token.version, token.failures, token.retry_at, token.broken_at, token.created_at,
        token.updated_at, token.last_used_at, token.ended_at);
    return token;
}

void insert_account(
    Database& db, const core::LinkedAccount& token, const std::string& owner, core::Instant now) {
    db.run(
        "DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", owner,
        token.service); // a reconnect replaces; see transfer_accounts
    db.run(
        "INSERT INTO upstream_token (id, owner, service_id, access_token, refresh_token, key_id, scope, expires_at, version, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        token.id, owner, token.service, to_blob(token.access_token), to_blob(token.refresh_token),
        token.key_id, to_blob(token.scope), token.expires_at, token.version, now, now);
}

// What is over belongs to nobody, so that no lookup by an owner finds it. A lease stays: whoever is
// refreshing the token writes what it gets into this row, and that is what the service is told
// about.
#define END_TOKEN                                                                                  \
    "UPDATE upstream_token SET owner = ?, ended_at = ?, failures = NULL, retry_at = NULL, version = version + 1 WHERE id = ? AND ended_at IS NULL"

bool end_account_row(Database& db, const std::string& id, core::Instant now) {
    return db.run(END_TOKEN, core::ended_owner(id), now, id) == 1;
}
#undef END_TOKEN

// Inside the transaction that ends the owner.
void end_accounts_of(Database& db, const std::string& owner, core::Instant now) {
    std::vector<std::string> ids;
    db.query(
        "SELECT id FROM upstream_token WHERE owner = ? ORDER BY service_id",
        [&](Row& columns) { columns.read_into(ids); }, owner);
    for (const auto& id : ids) end_account_row(db, id, now);
}

// Inside finalize_flow. What the owner had for the same service before gives way to what was
// connected just now; the service is not told, for at many of them that would end the whole grant,
// and what was connected just now with it. Rows are taken in the order of their service, so that
// two transfers to one owner cannot deadlock.
void transfer_accounts(
    Database& db, const std::string& from, const std::string& to, core::Instant now) {
    std::vector<std::string> ids, services;
    db.query(
        "SELECT id, service_id FROM upstream_token WHERE owner = ? ORDER BY service_id",
        [&](Row& columns) { columns.read_into(ids, services); }, from);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        db.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", to, services[i]);
        db.run(
            "UPDATE upstream_token SET owner = ?, version = version + 1, updated_at = ? WHERE id = ?",
            to, now, ids[i]);
    }
}

} // namespace consentgate::store
