#include "consentgate/store/maintenance.h"

#include "account_tables.h"
#include "dialect.h"

#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

namespace {

// How long a row outlives its expiry, so that a late request still gets the right answer (410, 409)
// and a replayed code is still recognised as one.
constexpr core::Span flow_grace{3600};
constexpr core::Span session_grace{86400};
constexpr core::Span code_grace{
    2 * 86400}; // a code outlives its session, which lives a day at most, and is kept a day more

// A code may be redeemed long after its client's document has expired, and nothing but
// `last_used_at` tells of it; a day is more than a flow and a code last together.
constexpr core::Span document_grace{86400};

// What goes as soon as it has expired: being no more says the same.
struct Passing {
    const char *find, *remove;
};
#define PASSING(table, key)                                                                        \
    {                                                                                              \
        "SELECT " key " FROM " table " WHERE expires_at < ? ORDER BY expires_at LIMIT ?",          \
            "DELETE FROM " table " WHERE " key " = ?"                                              \
    }
constexpr Passing passing_kinds[] = {
    PASSING("refresh_token", "token_hash"), PASSING("access_token", "token_hash"),
    PASSING("client_assertion", "assertion_hash"), PASSING("upstream_state", "state_hash"),
    PASSING("used_link", "link_hash")};
#undef PASSING

std::vector<std::string> names(
    Database& db, const char* sql, core::Instant before, std::size_t limit) {
    std::vector<std::string> found;
    db.query(
        sql, [&](Row& columns) { columns.read_into(found); }, before, limit);
    return found;
}

// Virtual keys that are over and have upstream tokens still: those that expired, and a disabled one
// to which a sign-in brought a token at the same moment. (replace() joins texts on all engines.)
std::vector<std::string> find_ended_keys(Database& db, core::Instant now, std::size_t limit) {
    return db.read([&] {
        return names(
            db,
            "SELECT id FROM virtual_key WHERE (active = 0 OR expires_at <= ?) AND EXISTS "
            "(SELECT 1 FROM upstream_token t WHERE t.owner = replace('key:#', '#', virtual_key.id)) ORDER BY id LIMIT ?",
            now, limit);
    });
}

// Clients that nobody finished a sign-in with. One that an operator disabled stays, or it would
// come back at its next request.
std::size_t sweep_documents(Database& db, core::Instant now, std::size_t limit) {
    const auto before = now - document_grace;
    const auto old = db.read([&] {
        return names(
            db,
            "SELECT d.id FROM client_document d JOIN client c ON c.id = d.id WHERE d.expires_at < ? AND c.by_operator = 0 AND c.active = 1 AND "
            "c.last_used_at IS NULL ORDER BY d.expires_at LIMIT ?",
            before, limit);
    });
    if (old.empty()) return 0;
    std::size_t swept = 0;
    db.rewrite([&] {
        swept = 0;
        for (const auto& id : old) {
            // Asked again: it may have been fetched or used since.
            const auto deleted = db.run(
                "DELETE FROM client WHERE id = ? AND active = 1 AND last_used_at IS NULL AND NOT EXISTS "
                "(SELECT 1 FROM flow WHERE flow.client_id = client.id) AND EXISTS "
                "(SELECT 1 FROM client_document d WHERE d.id = client.id AND d.expires_at < ?)",
                id, before);
            if (deleted == 1) db.run("DELETE FROM client_document WHERE id = ?", id);
            swept += deleted;
        }
        return Applied::yes;
    });
    return swept;
}

} // namespace

// In two steps, ids first, because a LIMIT inside a DELETE or its subquery is not portable. The
// reads need no transaction: what has expired stays expired. Nothing is written, and no lock taken,
// when there is nothing to delete.
core::Swept Maintenance::sweep(core::Instant now, core::Instant unused_since, std::size_t limit) {
    const auto flows = db_.read([&] {
        return names(
            db_, "SELECT id FROM flow WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
            now - flow_grace, limit);
    });
    const auto sessions = db_.read([&] {
        return names(
            db_, "SELECT id FROM session WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
            now - session_grace, limit);
    });
    const auto codes = db_.read([&] {
        return names(
            db_, "SELECT code_hash FROM code WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
            now - code_grace, limit);
    });
    const auto clients = db_.read([&] {
        return names(
            db_,
            "SELECT id FROM client WHERE created_at < ? AND by_operator = 0 AND last_used_at IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM client_document d WHERE d.id = client.id) ORDER BY created_at LIMIT ?",
            unused_since, limit);
    });
    const auto keys = find_ended_keys(db_, now, limit);
    std::vector<std::vector<std::string>> passing;
    bool nothing =
        flows.empty() && sessions.empty() && codes.empty() && clients.empty() && keys.empty();
    for (const auto& kind : passing_kinds) {
        passing.push_back(db_.read([&] { return names(db_, kind.find, now, limit); }));
        nothing = nothing && passing.back().empty();
    }
    const auto documents = sweep_documents(db_, now, limit);
    core::Swept swept;
    swept.clients = documents;
    if (nothing) return swept;
    db_.rewrite([&] {
        swept = core::Swept();
        swept.clients = documents;
        for (const auto& id : flows) {
            swept.flows += db_.run("DELETE FROM flow WHERE id = ?", id);
            end_accounts_of(db_, core::token_owner(core::FlowId(id)), now);
        }
        for (const auto& id : sessions) {
            swept.sessions += db_.run("DELETE FROM session WHERE id = ?", id);
            end_accounts_of(db_, core::token_owner(core::Identity{}, core::SessionId(id)), now);
        }
        for (const auto& id : keys)
            end_accounts_of(
                db_, core::token_owner({core::IdentityKind::virtual_key, id}, core::SessionId()),
                now);
        swept.keys = keys.size();
        for (std::size_t kind = 0; kind < passing.size(); ++kind) {
            for (const auto& hash : passing[kind])
                swept.tokens += db_.run(passing_kinds[kind].remove, hash);
        }
        for (const auto& hash : codes)
            swept.codes += db_.run("DELETE FROM code WHERE code_hash = ?", hash);
        // Asked again: a client may have been used since it was listed, or is about to be.
        for (const auto& id : clients) {
            swept.clients += db_.run(
                "DELETE FROM client WHERE id = ? AND last_used_at IS NULL AND NOT EXISTS "
                "(SELECT 1 FROM flow WHERE flow.client_id = client.id)",
                id);
        }
        return Applied::yes;
    });
    return swept;
}

int Maintenance::schema_version() {
    return db_.read([&] {
        int tables = 0;
        int version = 0;
        db_.query(dialect_of(db_.config().engine).count_schema_table, [&](Row& columns) {
            columns.read_into(tables);
        });
        if (tables == 0) return 0;
        db_.query("SELECT coalesce(max(version), 0) FROM schema_version", [&](Row& columns) {
            columns.read_into(version);
        });
        return version;
    });
}

} // namespace consentgate::store
