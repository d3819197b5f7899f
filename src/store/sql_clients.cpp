#include "sql_store.h"

#include "consentgate/core/text.h"

namespace consentgate::store {

namespace {

// Columns of a client in the order in which every query here selects them.
#define CLIENT_COLUMNS "id, name, redirect_uris, scope, by_operator, active, refresh, metadata, created_at, last_used_at, auth_method, secret_hash, jwks, jwks_uri, jwks_expires_at"

struct ClientRow {
    std::string id;
    MaybeBlob name, scope;
    Blob redirect_uris, metadata;
    int by_operator = 0, active = 0, refresh = 0;
    Poco::Int64 created_at = 0;
    MaybeTime last_used_at;
    MaybeText auth_method, secret_hash;
    MaybeBlob jwks, jwks_uri;
    MaybeTime jwks_expires_at;
};

core::Client client_of(const ClientRow& row) {
    core::Client client;
    client.id = core::ClientId(row.id);
    client.name = from_blob(row.name);
    client.redirect_uris = core::split(from_blob(row.redirect_uris), '\n');
    client.scope = from_blob(row.scope);
    client.by_operator = row.by_operator != 0;
    client.active = row.active != 0;
    client.refresh = row.refresh != 0;
    client.metadata = from_blob(row.metadata);
    client.created_at = core::from_epoch(row.created_at);
    client.last_used_at = from_maybe_time(row.last_used_at);
    client.auth = core::client_auth_of(row.auth_method.value("none")).value_or(core::ClientAuth::none);
    client.secret = core::Digest{row.secret_hash.value("")};
    client.jwks = from_blob(row.jwks);
    client.jwks_uri = from_blob(row.jwks_uri);
    client.jwks_expires_at = from_maybe_time(row.jwks_expires_at);
    return client;
}

} // namespace

void SqlStore::insert_client(const core::Client& client) {
    db_.run("INSERT INTO client (" CLIENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", client.id.text,
            to_maybe_blob(client.name), to_blob(core::join(client.redirect_uris, "\n")), to_maybe_blob(client.scope),
            client.by_operator ? 1 : 0, client.active ? 1 : 0, client.refresh ? 1 : 0, to_blob(client.metadata), core::epoch(client.created_at),
            to_maybe_time(client.last_used_at), std::string(core::name_of(client.auth)),
            client.secret.hex.empty() ? MaybeText() : MaybeText(client.secret.hex), to_maybe_blob(client.jwks), to_maybe_blob(client.jwks_uri),
            to_maybe_time(client.jwks_expires_at));
}

void SqlStore::put_client(const core::Client& client) {
    db_.write(
        [&] {
            insert_client(client);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM client WHERE id = ?", client.id.text); });
}

std::optional<core::Client> SqlStore::find_client(const core::ClientId& id) {
    return db_.read([&]() -> std::optional<core::Client> {
        ClientRow row;
        const auto found = db_.query(
            "SELECT " CLIENT_COLUMNS " FROM client WHERE id = ?",
            [&](Row& columns) {
                columns.into(row.id, row.name, row.redirect_uris, row.scope, row.by_operator, row.active, row.refresh, row.metadata, row.created_at, row.last_used_at,
                             row.auth_method, row.secret_hash, row.jwks, row.jwks_uri, row.jwks_expires_at);
            },
            id.text);
        if (found == 0) return std::nullopt;
        return client_of(row);
    });
}

std::vector<core::Client> SqlStore::list_clients() {
    return db_.read([&] {
        std::vector<std::string> ids;
        std::vector<core::Client> clients;
        db_.query("SELECT id FROM client ORDER BY created_at DESC, id LIMIT 10000",
                  [&](Row& columns) { columns.into(ids); });
        for (const auto& id : ids) {
            if (auto client = find_client(core::ClientId(id))) clients.push_back(std::move(*client));
        }
        return clients;
    });
}

Outcome SqlStore::disable_client(const core::ClientId& id) {
    return db_.write([&] { return outcome(db_.run("UPDATE client SET active = 0 WHERE id = ? AND active = 1", id.text)); },
                     [&] { return db_.has("SELECT 1 FROM client WHERE id = ? AND active = 0", id.text); });
}

void SqlStore::touch_client(const core::ClientId& id, core::Instant now) {
    db_.rewrite([&] { return outcome(db_.run("UPDATE client SET last_used_at = ? WHERE id = ?", core::epoch(now), id.text)); });
}

// Run again after a lost answer it finds its own claim and says gone: one look fewer, and never one too many.
Outcome SqlStore::claim_keys(const core::ClientId& id, core::Instant now, core::Instant before) {
    return db_.rewrite([&] {
        return outcome(db_.run("UPDATE client SET jwks_asked_at = ? WHERE id = ? AND (jwks_asked_at IS NULL OR jwks_asked_at <= ?)", core::epoch(now), id.text,
                               core::epoch(before)));
    });
}

Outcome SqlStore::put_keys(const core::Client& client) {
    return db_.rewrite([&] {
        return outcome(db_.run("UPDATE client SET jwks = ?, jwks_expires_at = ? WHERE id = ? AND jwks_uri = ?", to_maybe_blob(client.jwks),
                               to_maybe_time(client.jwks_expires_at), client.id.text, to_blob(client.jwks_uri)));
    });
}

// The key of the row is the gate: of any number of uses one inserts it.
Outcome SqlStore::use_once(const Once& sql, const core::Digest& thing, core::Instant expires_at, const std::string& use) {
    const auto used = [&] { return db_.has(sql.used, thing.hex); };
    if (db_.read(used)) return Outcome::gone;
    const auto own = [&] { return db_.has(sql.own, thing.hex, use); };
    try {
        return db_.write(
            [&] {
                db_.run(sql.insert, thing.hex, use, core::epoch(expires_at));
                return Outcome::done;
            },
            own);
    } catch (const StoreFailure&) { // another use was first
        if (!db_.read(used)) throw;
        return db_.read(own) ? Outcome::done : Outcome::gone;
    }
}

Outcome SqlStore::use_assertion(const core::Digest& assertion, core::Instant expires_at, const std::string& use) {
    return use_once({"SELECT 1 FROM client_assertion WHERE assertion_hash = ?", "SELECT 1 FROM client_assertion WHERE assertion_hash = ? AND used_by = ?",
                     "INSERT INTO client_assertion (assertion_hash, used_by, expires_at) VALUES (?, ?, ?)"},
                    assertion, expires_at, use);
}

Outcome SqlStore::use_link(const core::Digest& link, core::Instant expires_at, const std::string& use) {
    return use_once({"SELECT 1 FROM used_link WHERE link_hash = ?", "SELECT 1 FROM used_link WHERE link_hash = ? AND used_by = ?",
                     "INSERT INTO used_link (link_hash, used_by, expires_at) VALUES (?, ?, ?)"},
                    link, expires_at, use);
}

} // namespace consentgate::store
