// Clients that a document describes: what the document says stands in their row of `client`, how
// long it holds in `client_document`.
#include "sql_store.h"

#include "consentgate/core/base/text.h"

namespace consentgate::store {

namespace {

// A code may be redeemed long after its client's document has expired, and nothing but
// `last_used_at` tells of it; a day is more than a flow and a code last together.
constexpr core::Span document_grace{86400};

} // namespace

std::optional<core::Instant> SqlStore::find_document(const core::ClientId& id) {
    return db_.read([&] {
        std::optional<core::Instant> expires_at;
        db_.query(
            "SELECT expires_at FROM client_document WHERE id = ?",
            [&](Row& columns) { columns.read_into(expires_at); }, id);
        return expires_at;
    });
}

// Keys that were fetched stay while their address does.
void SqlStore::change_keys(const core::Client& client) {
    const auto& id = client.id;
    if (!client.jwks_uri.empty() &&
        db_.has("SELECT 1 FROM client WHERE id = ? AND jwks_uri = ?", id, to_blob(client.jwks_uri)))
        return;
    db_.run(
        "UPDATE client SET jwks = ?, jwks_uri = ?, jwks_expires_at = NULL, jwks_asked_at = NULL WHERE id = ?",
        to_blob(client.jwks), to_blob(client.jwks_uri), id);
}

Applied SqlStore::put_document(const core::Client& client, core::Instant expires_at) {
    const auto& id = client.id;
    const auto known = [&] { return db_.has("SELECT 1 FROM client_document WHERE id = ?", id); };
    // The client first: its document was committed with it, so it can be seen by the second look
    // when it is there.
    const auto keep = [&] {
        const bool there = db_.has("SELECT 1 FROM client WHERE id = ?", id);
        if (there && !known()) return Applied::no;
        if (there) {
            db_.run(
                "UPDATE client SET name = ?, redirect_uris = ?, scope = ?, refresh = ?, auth_method = ? WHERE id = ?",
                to_blob(client.name), to_blob(core::join(client.redirect_uris, "\n")),
                to_blob(client.scope), client.refresh, core::name_of(client.auth), id);
            change_keys(client);
            db_.run("UPDATE client_document SET expires_at = ? WHERE id = ?", expires_at, id);
            return Applied::yes;
        }
        insert_client(client);
        db_.run("INSERT INTO client_document (id, expires_at) VALUES (?, ?)", id, expires_at);
        return Applied::yes;
    };
    try {
        return db_.rewrite(keep);
    } catch (const StoreFailure&) { // another process was first with the same document
        if (!db_.read(known)) throw;
        return db_.rewrite(keep);
    }
}

// Clients that nobody finished a sign-in with. One that an operator disabled stays, or it would
// come back at its next request.
std::size_t SqlStore::sweep_documents(core::Instant now, std::size_t limit) {
    const auto before = now - document_grace;
    const auto old = db_.read([&] {
        return names(
            "SELECT d.id FROM client_document d JOIN client c ON c.id = d.id WHERE d.expires_at < ? AND c.by_operator = 0 AND c.active = 1 AND "
            "c.last_used_at IS NULL ORDER BY d.expires_at LIMIT ?",
            before, limit);
    });
    if (old.empty()) return 0;
    std::size_t swept = 0;
    db_.rewrite([&] {
        swept = 0;
        for (const auto& id : old) {
            // Asked again: it may have been fetched or used since.
            const auto deleted = db_.run(
                "DELETE FROM client WHERE id = ? AND active = 1 AND last_used_at IS NULL AND NOT EXISTS "
                "(SELECT 1 FROM flow WHERE flow.client_id = client.id) AND EXISTS "
                "(SELECT 1 FROM client_document d WHERE d.id = client.id AND d.expires_at < ?)",
                id, before);
            if (deleted == 1) db_.run("DELETE FROM client_document WHERE id = ?", id);
            swept += deleted;
        }
        return Applied::yes;
    });
    return swept;
}

} // namespace consentgate::store
