#include "consentgate/store/token_store.h"

#include "session_table.h"
#include "token_tables.h"

namespace consentgate::store {

Applied TokenStore::revoke_access(const core::Digest& token, core::Instant now) {
    return db_.write(
        [&] {
            const auto first = db_.run(
                "UPDATE session SET token_expires_at = ? WHERE token_hash = ? AND "
                "revoked_at IS NULL AND (token_expires_at IS NULL OR token_expires_at > ?)",
                now, token, now);
            return applied(
                first + db_.run(
                            "UPDATE access_token SET expires_at = ? "
                            "WHERE token_hash = ? AND expires_at > ?",
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
    static constexpr auto statement =
        sql("SELECT ", columns<core::SessionView>, ", ", columns<core::RefreshToken, 'r'>,
            " FROM refresh_token r JOIN session s ON s.id = r.session_id ", session_view_joins,
            "WHERE r.token_hash = ?");
    return db_.read([&] {
        std::optional<core::RefreshView> found;
        const auto read_view = [&](Row& row) {
            auto& view = found.emplace();
            view.session = read<core::SessionView>(row);
            view.token = read<core::RefreshToken>(row);
        };
        db_.query(statement, read_view, hash);
        return found;
    });
}

// used_at is a compare-and-set: of any number of refreshes with one token, one writes the
// successor, which is the same whoever computes it. key_id is compared too, because the successor
// was computed with that key and the token may have been moved to a newer one meanwhile.
Applied TokenStore::rotate_refresh(const core::Rotation& rotation, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE refresh_token SET used_at = ? WHERE token_hash = ? AND key_id = ? AND "
                    "used_at IS NULL AND expires_at > ?",
                    now, rotation.used, rotation.key_id, now) != 1) {
                return Applied::no;
            }
            // A session that was revoked meanwhile gets nothing more.
            if (db_.run(
                    "UPDATE session SET expires_at = ? WHERE id = ? AND revoked_at IS NULL",
                    rotation.next.expires_at, rotation.next.session_id) != 1) {
                return Applied::no;
            }
            insert(db_, rotation.next);
            insert(db_, rotation.access);
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM refresh_token WHERE token_hash = ?", rotation.next.hash);
        });
}

// Counted once more after a lost answer, which costs the client one of its repeats and gives a
// thief none.
Applied TokenStore::count_late_repeat(const core::Digest& used) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE refresh_token SET late_repeats = coalesce(late_repeats, 0) + 1 "
            "WHERE token_hash = ? AND used_at IS NOT NULL AND coalesce(late_repeats, 0) < ?",
            used, core::max_late_repeats));
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
                insert(db_, token);
                return Applied::yes;
            },
            present);
    } catch (const StoreFailure&) { // another process of the same client was first
        if (!db_.read(present)) throw;
    }
}

} // namespace consentgate::store
