#include "session_row.h"
#include "sql_store.h"

namespace consentgate::store {

// Most tokens are the first of their session and stand in its row; those that a refresh gave are
// looked for after it.
std::optional<core::SessionView> SqlStore::find_session(const core::Digest& token) {
    return db_.read_cached(sessions_, token.hex, [&] {
        std::optional<core::SessionView> view;
        db_.query(
            "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
            "WHERE s.token_hash = ?",
            [&](Row& columns) { view = read_session_view(columns); }, token);
        if (!view) view = find_refreshed_session(token);
        return view;
    });
}

// Call inside read().
std::optional<core::SessionView> SqlStore::find_refreshed_session(const core::Digest& token) {
    std::optional<core::SessionView> view;
    db_.query(
        "SELECT " SESSION_VIEW_COLUMNS
        ", a.scope, a.expires_at FROM access_token a JOIN session s ON s.id = a.session_id " SESSION_VIEW_JOINS
        "WHERE a.token_hash = ?",
        [&](Row& columns) {
            std::string scope;
            view = read_session_view(columns);
            columns.read_into(from_blob(scope), view->session.token_expires_at);
            view->session.scope = core::ScopeSet::parse(scope).value_or(core::ScopeSet{});
        },
        token);
    return view;
}

Applied SqlStore::revoke_access_token(const core::Digest& token, core::Instant now) {
    return db_.write(
        [&] {
            const auto first = db_.run(
                "UPDATE session SET token_expires_at = ? WHERE token_hash = ? AND revoked_at IS NULL "
                "AND (token_expires_at IS NULL OR token_expires_at > ?)",
                now, token, now);
            return applied(
                first +
                db_.run(
                    "UPDATE access_token SET expires_at = ? WHERE token_hash = ? AND expires_at > ?",
                    now, token, now));
        },
        [&] {
            return db_.has(
                       "SELECT 1 FROM session WHERE token_hash = ? AND token_expires_at <= ?",
                       token, now) ||
                   db_.has(
                       "SELECT 1 FROM access_token WHERE token_hash = ? AND expires_at <= ?", token,
                       now);
        });
}

std::optional<core::RefreshView> SqlStore::find_refresh_token(const core::Digest& hash) {
    return db_.read([&] {
        std::optional<core::RefreshView> view;
        db_.query(
            "SELECT " SESSION_VIEW_COLUMNS
            ", r.token_hash, r.key_id, r.expires_at, r.used_at FROM refresh_token r "
            "JOIN session s ON s.id = r.session_id " SESSION_VIEW_JOINS "WHERE r.token_hash = ?",
            [&](Row& columns) {
                auto& [found, session] = view.emplace();
                session = read_session_view(columns);
                columns.read_into(found.hash, found.key_id, found.expires_at, found.used_at);
                found.session_id = session.session.id;
            },
            hash);
        return view;
    });
}

void SqlStore::insert_refresh_token(const core::RefreshToken& token) {
    db_.run(
        "INSERT INTO refresh_token (token_hash, session_id, key_id, expires_at) VALUES (?, ?, ?, ?)",
        token.hash, token.session_id, token.key_id, token.expires_at);
}

void SqlStore::insert_access_token(const core::AccessToken& token) {
    db_.run(
        "INSERT INTO access_token (token_hash, session_id, scope, expires_at) VALUES (?, ?, ?, ?)",
        token.hash, token.session_id, to_blob(token.scope.text()), token.expires_at);
}

// The gate is the mark on the used token: of any number of refreshes with it, one writes what
// follows, which is the same whoever does. It names the key that what follows was computed with,
// because the token may be moved to a newer one meanwhile.
Applied SqlStore::rotate_refresh_token(const core::Rotation& rotation, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE refresh_token SET used_at = ? WHERE token_hash = ? AND key_id = ? AND used_at IS NULL AND expires_at > ?",
                    now, rotation.used, rotation.key_id, now) != 1) {
                return Applied::no;
            }
            // A session that was revoked meanwhile gets nothing more.
            if (db_.run(
                    "UPDATE session SET expires_at = ? WHERE id = ? AND revoked_at IS NULL",
                    rotation.next.expires_at, rotation.next.session_id) != 1) {
                return Applied::no;
            }
            insert_refresh_token(rotation.next);
            insert_access_token(rotation.access);
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM refresh_token WHERE token_hash = ?", rotation.next.hash);
        });
}

void SqlStore::put_access_token(const core::AccessToken& token) {
    const auto present = [&] {
        return db_.has("SELECT 1 FROM access_token WHERE token_hash = ?", token.hash);
    };
    if (db_.read(present)) return;
    try {
        db_.write(
            [&] {
                insert_access_token(token);
                return Applied::yes;
            },
            present);
    } catch (const StoreFailure&) { // another process of the same client was first
        if (!db_.read(present)) throw;
    }
}

} // namespace consentgate::store
