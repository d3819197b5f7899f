#include "consentgate/store/session_store.h"

#include "account_row.h"
#include "recent.h"
#include "session_row.h"

namespace consentgate::store {

namespace {

// in: sql  of SESSION_VIEW_COLUMNS
template <class... Bound>
std::vector<core::SessionView> query_sessions(
    Database& db, const char* sql, const Bound&... bound) {
    return db.read([&] {
        std::vector<core::SessionView> sessions;
        db.query(
            sql, [&](Row& columns) { sessions.push_back(read_session_view(columns)); }, bound...);
        return sessions;
    });
}

} // namespace

SessionStore::SessionStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<Recent<core::SessionView>>(max_cached)) {}
SessionStore::~SessionStore() = default;

// Most tokens are the first of their session and stand in its row; those that a refresh gave are
// looked for after it.
std::optional<core::SessionView> SessionStore::find(const core::Digest& token) {
    return db_.read_cached(*recent_, token.hex, [&] {
        std::optional<core::SessionView> view;
        db_.query(
            "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
            "WHERE s.token_hash = ?",
            [&](Row& columns) { view = read_session_view(columns); }, token);
        if (!view) view = find_refreshed_session(db_, token);
        return view;
    });
}

std::vector<core::SessionView> SessionStore::list(core::Instant now) {
    return query_sessions(
        db_,
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.expires_at > ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 1000",
        now);
}

std::optional<core::SessionView> SessionStore::find(const core::SessionId& id) {
    auto found = query_sessions(
        db_, "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS "WHERE s.id = ?",
        id);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<core::SessionView> SessionStore::list_of_browser(
    const core::Digest& browser, core::Instant now) {
    return query_sessions(
        db_,
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.browser_hash = ? AND s.revoked_at IS NULL AND s.expires_at > ? ORDER BY s.created_at DESC, s.id LIMIT 100",
        browser, now);
}

std::vector<core::SessionView> SessionStore::list_consents(
    const core::Digest& browser, const core::ClientId& client) {
    return query_sessions(
        db_,
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.browser_hash = ? AND s.client_id = ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 10",
        browser, client);
}

Applied SessionStore::revoke(const core::SessionId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now,
                    id) != 1)
                return Applied::no;
            end_accounts_of(
                db_, core::token_owner(core::Identity{}, id), now); // those that are its alone
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id);
        });
}

} // namespace consentgate::store
