#include "consentgate/store/token_store.h"

#include "session_row.h"
#include "token_rows.h"

namespace consentgate::store {

Applied TokenStore::revoke_access(const core::Digest& token, core::Instant now) {
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

std::optional<core::RefreshView> TokenStore::find_refresh(const core::Digest& hash) {
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

// The gate is the mark on the used token: of any number of refreshes with it, one writes what
// follows, which is the same whoever does. It names the key that what follows was computed with,
// because the token may be moved to a newer one meanwhile.
Applied TokenStore::rotate_refresh(const core::Rotation& rotation, core::Instant now) {
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
            insert_refresh_token(db_, rotation.next);
            insert_access_token(db_, rotation.access);
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM refresh_token WHERE token_hash = ?", rotation.next.hash);
        });
}

void TokenStore::put_access(const core::AccessToken& token) {
    const auto present = [&] {
        return db_.has("SELECT 1 FROM access_token WHERE token_hash = ?", token.hash);
    };
    if (db_.read(present)) return;
    try {
        db_.write(
            [&] {
                insert_access_token(db_, token);
                return Applied::yes;
            },
            present);
    } catch (const StoreFailure&) { // another process of the same client was first
        if (!db_.read(present)) throw;
    }
}

} // namespace consentgate::store
