#include "consentgate/store/client_store.h"

#include "account_tables.h"
#include "client_tables.h"
#include "once_tables.h"

namespace consentgate::store {

namespace {

bool has_client(Database& db, const std::string& key) {
    return db.has("SELECT 1 FROM client WHERE id = ?", key);
}

// Fetched keys stay for as long as their address does.
void change_keys(Database& db, const core::Client& client) {
    const auto id = client_key(client.id);
    if (!client.jwks_uri.empty() &&
        db.has("SELECT 1 FROM client WHERE id = ? AND jwks_uri = ?", id, to_blob(client.jwks_uri)))
        return;
    db.run(
        "UPDATE client SET jwks = ?, jwks_uri = ?, jwks_expires_at = NULL, jwks_asked_at = NULL "
        "WHERE id = ?",
        to_blob(client.jwks), to_blob(client.jwks_uri), id);
}

// Deletes clients of a caller until it may have one more. Requests at the same moment may each find
// that it may; the next registration then deletes more than one.
// out: whether it may
bool give_way(Database& db, const std::string& caller, std::size_t limit, core::Instant before) {
    std::vector<std::string> unused, old;
    db.query(
        "SELECT id FROM client WHERE registered_from = ? AND last_used_at IS NULL",
        [&](Row& row) { row.read_into(unused); }, caller);
    if (unused.size() < limit) return true;
    db.query(
        "SELECT id FROM client WHERE registered_from = ? AND created_at <= ? AND "
        "last_used_at IS NULL ORDER BY created_at, id",
        [&](Row& row) { row.read_into(old); }, caller, before);
    auto left = unused.size();
    for (const auto& id : old) {
        if (left < limit) break;
        left -= db.run(
            "DELETE FROM client WHERE id = ? AND last_used_at IS NULL AND "
            "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = client.id)",
            id);
    }
    return left < limit;
}

} // namespace

void ClientStore::put(const core::Client& client) {
    db_.write(
        [&] {
            insert(db_, client);
            return Applied::yes;
        },
        [&] { return has_client(db_, client_key(client.id)); });
}

Applied ClientStore::put_registered(
    const core::Client& client, std::size_t limit, core::Instant before) {
    return db_.write(
        [&] {
            if (limit > 0 && !give_way(db_, client.registered_from, limit, before))
                return Applied::no;
            insert(db_, client);
            return Applied::yes;
        },
        [&] { return has_client(db_, client_key(client.id)); });
}

std::optional<core::Client> ClientStore::find(const core::ClientId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Client>, " FROM client WHERE id = ?");
    auto client = find_row<core::Client>(db_, statement, client_key(id));
    if (client && client->id != id) client.reset(); // two texts of one key
    return client;
}

std::vector<core::Client> ClientStore::list() {
    static constexpr auto statement = sql(
        "SELECT ", columns<core::Client>, " FROM client ORDER BY created_at DESC, id LIMIT 10000");
    return list_rows<core::Client>(db_, statement);
}

Applied ClientStore::disable(const core::ClientId& id) {
    const auto key = client_key(id);
    return db_.write(
        [&] {
            return applied(
                db_.run("UPDATE client SET active = 0 WHERE id = ? AND active = 1", key));
        },
        [&] { return db_.has("SELECT 1 FROM client WHERE id = ? AND active = 0", key); });
}

Applied ClientStore::enable(const core::ClientId& id) {
    const auto key = client_key(id);
    return db_.write(
        [&] {
            return applied(
                db_.run("UPDATE client SET active = 1 WHERE id = ? AND active = 0", key));
        },
        [&] { return db_.has("SELECT 1 FROM client WHERE id = ? AND active = 1", key); });
}

std::size_t ClientStore::remove_flows(
    const core::ClientId& id, core::Instant now, std::size_t limit) {
    std::vector<std::string> flows;
    db_.read([&] {
        flows.clear();
        return db_.query(
            "SELECT id FROM flow WHERE client_id = ? ORDER BY id LIMIT ?",
            [&](Row& row) { row.read_into(flows); }, client_key(id), limit);
    });
    if (flows.empty()) return 0;
    db_.rewrite([&] {
        for (const auto& flow : flows) {
            db_.run("DELETE FROM flow WHERE id = ?", flow);
            end_accounts_of(db_, core::Owner::of(core::FlowId(flow)), now);
        }
        return Applied::yes;
    });
    return flows.size();
}

Applied ClientStore::remove(const core::ClientId& id) {
    const auto key = client_key(id);
    return db_.write(
        [&] {
            db_.run("DELETE FROM client_document WHERE id = ?", key);
            return applied(db_.run("DELETE FROM client WHERE id = ?", key));
        },
        [&] { return !has_client(db_, key); });
}

std::map<std::string, std::size_t> ClientStore::count_by_caller() {
    return db_.read([&] {
        std::map<std::string, std::size_t> counts;
        db_.query(
            "SELECT registered_from FROM client WHERE registered_from IS NOT NULL", [&](Row& row) {
                std::string caller;
                row.read_into(caller);
                ++counts[caller];
            });
        return counts;
    });
}

void ClientStore::record_use(const core::ClientId& id, core::Instant now) {
    db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE client SET last_used_at = ?, registered_from = NULL WHERE id = ?", now,
            client_key(id)));
    });
}

// When it runs again after a lost answer it finds its own claim and answers no: the keys are then
// fetched once too rarely, never once too often.
Applied ClientStore::claim_keys(const core::ClientId& id, core::Instant now, core::Instant before) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE client SET jwks_asked_at = ? WHERE id = ? AND "
            "(jwks_asked_at IS NULL OR jwks_asked_at <= ?)",
            now, client_key(id), before));
    });
}

Applied ClientStore::save_keys(const core::Client& client) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE client SET jwks = ?, jwks_expires_at = ? WHERE id = ? AND jwks_uri = ?",
            to_blob(client.jwks), client.jwks_expires_at, client_key(client.id),
            to_blob(client.jwks_uri)));
    });
}

Applied ClientStore::use_assertion(
    const core::Digest& assertion, core::Instant expires_at, const std::string& use) {
    return use_once(
        db_, ClientAssertion{.hash = assertion, .used_by = use, .expires_at = expires_at});
}

std::optional<core::Instant> ClientStore::find_document(const core::ClientId& id) {
    return db_.read([&] {
        std::optional<core::Instant> expires_at;
        db_.query(
            "SELECT expires_at FROM client_document WHERE id = ?",
            [&](Row& row) { row.read_into(expires_at); }, client_key(id));
        return expires_at;
    });
}

Applied ClientStore::put_document(const core::Client& client, core::Instant expires_at) {
    const auto id = client_key(client.id);
    const auto known = [&] { return db_.has("SELECT 1 FROM client_document WHERE id = ?", id); };
    // Looks for the client first: its document was committed with it, so the second statement sees
    // the document whenever the first has seen the client.
    const auto save = [&] {
        const bool there = has_client(db_, id);
        if (there && !known()) return Applied::no;
        if (there) {
            db_.run(
                "UPDATE client SET name = ?, redirect_uris = ?, scope = ?, refresh = ?, "
                "auth_method = ?, metadata = ?, dropped_redirects = ? WHERE id = ?",
                to_blob(client.name), to_blob(core::join(client.redirect_uris, "\n")),
                to_blob(client.scope), client.refresh, core::name_of(client.auth),
                to_blob(client.metadata), client.dropped_redirects, id);
            change_keys(db_, client);
            db_.run("UPDATE client_document SET expires_at = ? WHERE id = ?", expires_at, id);
            return Applied::yes;
        }
        insert(db_, client);
        insert(db_, ClientDocument{.id = client.id, .expires_at = expires_at});
        return Applied::yes;
    };
    try {
        return db_.rewrite(save);
    } catch (const StoreFailure&) { // another process was first with the same document
        if (!db_.read(known)) throw;
        return db_.rewrite(save);
    }
}

} // namespace consentgate::store
