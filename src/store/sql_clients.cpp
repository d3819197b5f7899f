#include "sql_store.h"

#include "consentgate/core/base/text.h"

namespace consentgate::store {

namespace {

// Columns of a client in the order in which every query here selects them.
#define CLIENT_COLUMNS                                                                             \
    "id, name, redirect_uris, scope, by_operator, active, refresh, metadata, created_at, last_used_at, auth_method, secret_hash, jwks, jwks_uri, jwks_expires_at"

core::Client read_client(Row& columns) {
    core::Client client;
    std::string redirect_uris, auth;
    columns.read_into(
        client.id, from_blob(client.name), from_blob(redirect_uris), from_blob(client.scope),
        client.by_operator, client.active, client.refresh, from_blob(client.metadata),
        client.created_at, client.last_used_at, auth, client.secret, from_blob(client.jwks),
        from_blob(client.jwks_uri), client.jwks_expires_at);
    client.redirect_uris = core::split(redirect_uris, '\n');
    client.auth = core::client_auth_of(auth).value_or(core::ClientAuth::none);
    return client;
}

} // namespace

void SqlStore::insert_client(const core::Client& client) {
    const auto secret = client.secret.hex.empty() ? std::nullopt : std::optional(client.secret);
    db_.run(
        "INSERT INTO client (" CLIENT_COLUMNS
        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        client.id, to_blob(client.name), to_blob(core::join(client.redirect_uris, "\n")),
        to_blob(client.scope), client.by_operator, client.active, client.refresh,
        to_blob(client.metadata), client.created_at, client.last_used_at,
        core::name_of(client.auth), secret, to_blob(client.jwks), to_blob(client.jwks_uri),
        client.jwks_expires_at);
}

void SqlStore::put_client(const core::Client& client) {
    db_.write(
        [&] {
            insert_client(client);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM client WHERE id = ?", client.id); });
}

std::optional<core::Client> SqlStore::find_client(const core::ClientId& id) {
    return db_.read([&] {
        std::optional<core::Client> client;
        db_.query(
            "SELECT " CLIENT_COLUMNS " FROM client WHERE id = ?",
            [&](Row& columns) { client = read_client(columns); }, id);
        return client;
    });
}

std::vector<core::Client> SqlStore::list_clients() {
    return db_.read([&] {
        std::vector<core::Client> clients;
        db_.query(
            "SELECT " CLIENT_COLUMNS " FROM client ORDER BY created_at DESC, id LIMIT 10000",
            [&](Row& columns) { clients.push_back(read_client(columns)); });
        return clients;
    });
}

Applied SqlStore::disable_client(const core::ClientId& id) {
    return db_.write(
        [&] {
            return applied(db_.run("UPDATE client SET active = 0 WHERE id = ? AND active = 1", id));
        },
        [&] { return db_.has("SELECT 1 FROM client WHERE id = ? AND active = 0", id); });
}

void SqlStore::record_client_use(const core::ClientId& id, core::Instant now) {
    db_.rewrite([&] {
        return applied(db_.run("UPDATE client SET last_used_at = ? WHERE id = ?", now, id));
    });
}

// Run again after a lost answer it finds its own claim and says gone: one look fewer, and never one
// too many.
Applied SqlStore::claim_keys(const core::ClientId& id, core::Instant now, core::Instant before) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE client SET jwks_asked_at = ? WHERE id = ? AND (jwks_asked_at IS NULL OR jwks_asked_at <= ?)",
            now, id, before));
    });
}

Applied SqlStore::save_keys(const core::Client& client) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE client SET jwks = ?, jwks_expires_at = ? WHERE id = ? AND jwks_uri = ?",
            to_blob(client.jwks), client.jwks_expires_at, client.id, to_blob(client.jwks_uri)));
    });
}

// The key of the row is the gate: of any number of uses one inserts it.
Applied SqlStore::use_once(
    const Once& sql, const core::Digest& thing, core::Instant expires_at, const std::string& use) {
    const auto used = [&] { return db_.has(sql.used, thing); };
    if (db_.read(used)) return Applied::no;
    const auto own = [&] { return db_.has(sql.own, thing, use); };
    try {
        return db_.write(
            [&] {
                db_.run(sql.insert, thing, use, expires_at);
                return Applied::yes;
            },
            own);
    } catch (const StoreFailure&) { // another use was first
        if (!db_.read(used)) throw;
        return db_.read(own) ? Applied::yes : Applied::no;
    }
}

Applied SqlStore::use_assertion(
    const core::Digest& assertion, core::Instant expires_at, const std::string& use) {
    return use_once(
        {"SELECT 1 FROM client_assertion WHERE assertion_hash = ?",
         "SELECT 1 FROM client_assertion WHERE assertion_hash = ? AND used_by = ?",
         "INSERT INTO client_assertion (assertion_hash, used_by, expires_at) VALUES (?, ?, ?)"},
        assertion, expires_at, use);
}

Applied SqlStore::use_link(
    const core::Digest& link, core::Instant expires_at, const std::string& use) {
    return use_once(
        {"SELECT 1 FROM used_link WHERE link_hash = ?",
         "SELECT 1 FROM used_link WHERE link_hash = ? AND used_by = ?",
         "INSERT INTO used_link (link_hash, used_by, expires_at) VALUES (?, ?, ?)"},
        link, expires_at, use);
}

} // namespace consentgate::store
