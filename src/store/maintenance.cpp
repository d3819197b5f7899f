#include "consentgate/store/maintenance.h"

#include "account_tables.h"
#include "dialect.h"
#include "once_tables.h"
#include "signin_tables.h"
#include "token_tables.h"
#include "virtual_key_table.h"

#include "consentgate/core/oauth/consent.h"

#include <algorithm>

namespace consentgate::store {

namespace {

// How long a row outlives its expiry, so that a late request still gets the right answer (410 or
// 409) and a replayed code is recognised.
constexpr core::Span flow_grace{3600};
constexpr core::Span session_grace{86400};
// A code outlives its session, which lives a day at most, and is kept a day more.
constexpr core::Span code_grace{2 * 86400};

// A person who was sent to a service with a registration that has ended comes back within a quarter
// of an hour, and only then the account shows that the registration is needed.
constexpr core::Span registration_grace{3600};

// A code may be redeemed long after its client's document has expired, and then only `last_used_at`
// shows that the client is in use. A day is more than a flow and a code last together.
constexpr core::Span document_grace{86400};

// A refresh token that was used is answered again for a while, and puts the access token of its
// first answer back where it is missing. So a revoked one stays longer than any such while, which
// is at most an hour.
constexpr core::Span access_grace{2 * 3600};

// The statements for rows that are deleted when they have expired and their grace is over. Without
// a grace a request is answered the same whether such a row is expired or missing.
struct ExpiredRows {
    const char *find, *remove;
    core::Span grace;
};
template <class Entity> ExpiredRows expired_rows(core::Span grace = core::Span(0)) {
    static constexpr auto key = key_name<Entity>();
    static constexpr auto name = table_name<Entity>();
    static constexpr auto find =
        sql("SELECT ", key, " FROM ", name, " WHERE expires_at < ? ORDER BY expires_at LIMIT ?");
    static constexpr auto remove = sql("DELETE FROM ", name, " WHERE ", key, " = ?");
    return {find, remove, grace};
}
const std::vector<ExpiredRows>& expired_kinds() {
    static const std::vector<ExpiredRows> kinds{
        expired_rows<core::RefreshToken>(), expired_rows<core::AccessToken>(access_grace),
        expired_rows<ClientAssertion>(),    expired_rows<core::UpstreamState>(),
        expired_rows<UsedLink>(),           expired_rows<core::SigninState>(),
        expired_rows<core::SigninTrial>(),  expired_rows<UsedLogoutToken>(),
        expired_rows<FormerKey>()};
    return kinds;
}

std::vector<std::string> list_ids(
    Database& db, const char* sql, core::Instant before, std::size_t limit) {
    std::vector<std::string> found;
    db.query(
        sql, [&](Row& row) { row.read_into(found); }, before, limit);
    return found;
}

// Virtual keys that are over and still own linked accounts: expired ones, and a disabled one to
// which a consent linked an account at the same moment. The owner's spelling comes in as a pattern;
// replace() puts the id into it on all engines.
std::vector<std::string> find_ended_keys(Database& db, core::Instant now, std::size_t limit) {
    const auto pattern = core::Owner::of(core::VirtualKeyId("#")).text();
    return db.read([&] {
        std::vector<std::string> ids;
        db.query(
            "SELECT id FROM virtual_key WHERE (active = 0 OR expires_at <= ?) AND "
            "EXISTS (SELECT 1 FROM upstream_token t "
            "WHERE t.owner = replace(?, '#', virtual_key.id)) ORDER BY id LIMIT ?",
            [&](Row& row) { row.read_into(ids); }, now, pattern, limit);
        return ids;
    });
}

// Deletes clients of documents that never redeemed a code. A client that an operator disabled
// stays, because it would come back active at its next request.
std::size_t sweep_documents(Database& db, core::Instant now, std::size_t limit) {
    const auto before = now - document_grace;
    const auto old = db.read([&] {
        return list_ids(
            db,
            "SELECT d.id FROM client_document d JOIN client c ON c.id = d.id "
            "WHERE d.expires_at < ? AND c.by_operator = 0 AND c.active = 1 AND "
            "c.last_used_at IS NULL AND "
            "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = c.id) "
            "ORDER BY d.expires_at LIMIT ?",
            before, limit);
    });
    if (old.empty()) return 0;
    std::size_t swept = 0;
    db.rewrite([&] {
        swept = 0;
        for (const auto& id : old) {
            // Checked again: the document may have been fetched, or the client used, since.
            const auto deleted = db.run(
                "DELETE FROM client WHERE id = ? AND active = 1 AND last_used_at IS NULL AND "
                "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = client.id) AND "
                "EXISTS (SELECT 1 FROM client_document d WHERE d.id = client.id AND "
                "d.expires_at < ?)",
                id, before);
            if (deleted == 1) db.run("DELETE FROM client_document WHERE id = ?", id);
            swept += deleted;
        }
        return Applied::yes;
    });
    return swept;
}

// Nothing of the client can still be used: a session that has ended waits for its own sweep without
// it. The session of a living refresh token lives too.
constexpr char nothing_lives[] =
    "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = client.id) AND "
    "NOT EXISTS (SELECT 1 FROM session WHERE session.client_id = client.id AND "
    "session.revoked_at IS NULL AND session.expires_at > ?)";

std::vector<std::string> find_idle_clients(
    Database& db, core::Instant now, core::Instant idle_since, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT id FROM client WHERE last_used_at < ? AND by_operator = 0 AND active = 1 AND ",
            "NOT EXISTS (SELECT 1 FROM client_document d WHERE d.id = client.id) AND ",
            nothing_lives, " ORDER BY last_used_at LIMIT ?");
    return db.read([&] {
        std::vector<std::string> ids;
        db.query(
            statement, [&](Row& row) { row.read_into(ids); }, idle_since, now, limit);
        return ids;
    });
}

// Asked again inside the transaction: the client may have been used since it was listed.
std::size_t delete_idle_client(
    Database& db, const std::string& id, core::Instant now, core::Instant idle_since) {
    static constexpr auto statement =
        sql("DELETE FROM client WHERE id = ? AND last_used_at < ? AND ", nothing_lives);
    return db.run(statement, id, idle_since, now);
}

// A sign-in that is over stays while a session has come of it: a provider that ends it ends those.
constexpr char signin_is_over[] =
    "expires_at < ? AND NOT EXISTS "
    "(SELECT 1 FROM session WHERE session.signin_id = browser_signin.id)";

// The ids and hashes of the rows that one sweep deletes, and of the virtual keys that are over.
struct Found {
    std::vector<std::string> flows, sessions, codes, clients, idle_clients, keys, registrations,
        signins;
    std::vector<std::vector<std::string>> expired; // one list for each of expired_kinds()

    std::size_t longest() const {
        auto most = std::max(
            {flows.size(), sessions.size(), codes.size(), clients.size(), idle_clients.size(),
             keys.size(), registrations.size(), signins.size()});
        for (const auto& list : expired) most = std::max(most, list.size());
        return most;
    }
};

// Clients with an open flow are left out here already: whoever opens many could else hide all
// others behind them.
Found find_rows(
    Database& db, core::Instant now, core::Instant unused_since,
    std::optional<core::Instant> idle_since, std::size_t limit) {
    Found found;
    const auto list = [&](const char* sql, core::Instant before) {
        return db.read([&] { return list_ids(db, sql, before, limit); });
    };
    found.flows = list(
        "SELECT id FROM flow WHERE expires_at < ? ORDER BY expires_at LIMIT ?", now - flow_grace);
    found.sessions = list(
        "SELECT id FROM session WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        now - session_grace);
    found.codes = list(
        "SELECT code_hash FROM code WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        now - code_grace);
    found.clients = list(
        "SELECT id FROM client WHERE created_at < ? AND by_operator = 0 AND "
        "last_used_at IS NULL AND NOT EXISTS (SELECT 1 FROM client_document d "
        "WHERE d.id = client.id) AND "
        "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = client.id) "
        "ORDER BY created_at LIMIT ?",
        unused_since);
    if (idle_since) found.idle_clients = find_idle_clients(db, now, *idle_since, limit);
    found.keys = find_ended_keys(db, now, limit);
    found.registrations = list(
        "SELECT f.id FROM former_registration f WHERE f.ended_at < ? AND NOT EXISTS "
        "(SELECT 1 FROM upstream_token t WHERE t.service_id = f.service_id AND "
        "coalesce(t.registration_id, '') = coalesce(f.registration_id, '')) "
        "ORDER BY f.ended_at LIMIT ?",
        now - registration_grace);
    static constexpr auto over =
        sql("SELECT id FROM browser_signin WHERE ", signin_is_over, " ORDER BY expires_at LIMIT ?");
    found.signins = list(over, now);
    for (const auto& kind : expired_kinds())
        found.expired.push_back(list(kind.find, now - kind.grace));
    return found;
}

} // namespace

// Reads ids first and deletes by id, because a LIMIT inside a DELETE or its subquery is not
// portable. The reads need no transaction, because an expired row stays expired. When there is
// nothing to delete, no lock is taken.
core::Swept Maintenance::sweep(
    core::Instant now, core::Instant unused_since, std::size_t limit,
    std::optional<core::Instant> idle_since) {
    const auto found = find_rows(db_, now, unused_since, idle_since, limit);
    const auto documents = sweep_documents(db_, now, limit);
    const bool more = std::max(found.longest(), documents) >= limit;
    core::Swept swept{.clients = documents, .more = more};
    if (found.longest() == 0) return swept;
    db_.rewrite([&] {
        swept = core::Swept{.clients = documents, .keys = found.keys.size(), .more = more};
        for (const auto& id : found.flows) {
            swept.flows += db_.run("DELETE FROM flow WHERE id = ?", id);
            end_accounts_of(db_, core::Owner::of(core::FlowId(id)), now);
        }
        for (const auto& id : found.sessions) {
            swept.sessions += db_.run("DELETE FROM session WHERE id = ?", id);
            end_accounts_of(db_, core::Owner::of(core::SessionId(id)), now);
        }
        for (const auto& id : found.keys)
            end_accounts_of(db_, core::Owner::of(core::VirtualKeyId(id)), now);
        for (std::size_t kind = 0; kind < found.expired.size(); ++kind) {
            for (const auto& key : found.expired[kind])
                swept.tokens += db_.run(expired_kinds()[kind].remove, key);
        }
        for (const auto& hash : found.codes)
            swept.codes += db_.run("DELETE FROM code WHERE code_hash = ?", hash);
        for (const auto& id : found.registrations)
            swept.registrations += db_.run("DELETE FROM former_registration WHERE id = ?", id);
        static constexpr auto remove_signin =
            sql("DELETE FROM browser_signin WHERE id = ? AND ", signin_is_over);
        for (const auto& id : found.signins) swept.tokens += db_.run(remove_signin, id, now);
        // Checked again: a client may have been used since it was listed, or have an open flow.
        for (const auto& id : found.clients) {
            swept.clients += db_.run(
                "DELETE FROM client WHERE id = ? AND last_used_at IS NULL AND "
                "NOT EXISTS (SELECT 1 FROM flow WHERE flow.client_id = client.id)",
                id);
        }
        for (const auto& id : found.idle_clients)
            swept.clients += delete_idle_client(db_, id, now, *idle_since);
        return Applied::yes;
    });
    return swept;
}

core::Schema Maintenance::schema() {
    return db_.read([&] {
        int tables = 0;
        core::Schema schema;
        db_.query(dialect_of(db_.config().engine).count_schema_table, [&](Row& row) {
            row.read_into(tables);
        });
        if (tables == 0) return schema;
        db_.query(
            "SELECT coalesce(max(version), 0), coalesce(max(CASE WHEN name LIKE '%!_stop' ESCAPE "
            "'!' THEN version ELSE 0 END), 0) FROM schema_version",
            [&](Row& row) { row.read_into(schema.version, schema.last_stop); });
        return schema;
    });
}

// The pages of the row are written even though it is deleted in the same transaction.
Applied Maintenance::try_to_write(const core::Digest& fresh, core::Instant now) {
    try {
        return db_.rewrite([&] {
            insert(db_, UsedLink{.hash = fresh, .used_by = "readyz", .expires_at = now});
            db_.run("DELETE FROM used_link WHERE link_hash = ?", fresh);
            return Applied::yes;
        });
    } catch (const StoreFailure& failure) {
        if (failure.what() != std::string_view(stayed_locked)) throw;
        return Applied::no;
    }
}

} // namespace consentgate::store
