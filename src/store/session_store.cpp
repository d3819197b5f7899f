#include "consentgate/store/session_store.h"

#include "account_tables.h"
#include "recent.h"
#include "session_table.h"

namespace consentgate::store {

namespace {

// The statement that finds sessions with a condition.
template <std::size_t Size> consteval auto sessions_where(const char (&condition)[Size]) {
    return sql(
        "SELECT ", columns<core::SessionView>, " FROM session s ", session_view_joins, "WHERE ",
        condition);
}

} // namespace

SessionStore::SessionStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<Recent<core::SessionView>>(max_cached)) {}
SessionStore::~SessionStore() = default;

// Most access tokens are the first of their session and stand in its row; only a token that is not
// found there is looked for among those that a refresh gave.
std::optional<core::SessionView> SessionStore::find(const core::Digest& token) {
    static constexpr auto statement = sessions_where("s.token_hash = ?");
    return db_.read_cached(*recent_, token.hex, [&] {
        std::optional<core::SessionView> view;
        db_.query(
            statement, [&](Row& row) { view = read<core::SessionView>(row); }, token);
        if (!view) view = find_refreshed_session(db_, token);
        return view;
    });
}

std::optional<core::SessionView> SessionStore::find(const core::SessionId& id) {
    static constexpr auto statement = sessions_where("s.id = ?");
    return find_row<core::SessionView>(db_, statement, id);
}

std::vector<core::SessionView> SessionStore::list(core::Instant now) {
    static constexpr auto statement = sessions_where(
        "s.expires_at > ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 1000");
    return list_rows<core::SessionView>(db_, statement, now);
}

std::vector<core::SessionCount> SessionStore::count_by_identity(core::Instant now) {
    return db_.read([&] {
        std::vector<core::SessionCount> counts;
        db_.query(
            "SELECT identity_kind, COUNT(*) FROM session WHERE expires_at > ? AND "
            "revoked_at IS NULL GROUP BY identity_kind ORDER BY identity_kind",
            [&](Row& row) {
                auto& count = counts.emplace_back();
                std::int64_t sessions = 0;
                restore(row, count.kind);
                row.read_into(sessions);
                count.sessions = static_cast<std::size_t>(sessions);
            },
            now);
        return counts;
    });
}

std::vector<core::SessionView> SessionStore::list_of_browser(
    const core::Digest& browser, core::Instant now) {
    static constexpr auto statement =
        sessions_where("s.browser_hash = ? AND s.revoked_at IS NULL AND s.expires_at > ? "
                       "ORDER BY s.created_at DESC, s.id LIMIT 100");
    return list_rows<core::SessionView>(db_, statement, browser, now);
}

std::vector<core::SessionView> SessionStore::list_consents(
    const core::Digest& browser, const core::ClientId& client) {
    static constexpr auto statement =
        sessions_where("s.browser_hash = ? AND s.client_id = ? AND s.revoked_at IS NULL "
                       "ORDER BY s.created_at DESC, s.id LIMIT 10");
    return list_rows<core::SessionView>(db_, statement, browser, client);
}

Applied SessionStore::revoke(const core::SessionId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now,
                    id) != 1)
                return Applied::no;
            end_accounts_of(db_, core::Owner::of(id), now); // those that are its alone
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id);
        });
}

} // namespace consentgate::store
