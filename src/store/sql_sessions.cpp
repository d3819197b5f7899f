#include "session_row.h"
#include "sql_store.h"

namespace consentgate::store {

namespace {

std::optional<std::string> virtual_key_of(const core::Identity& identity) {
    return identity.kind == core::IdentityKind::virtual_key ? std::optional(identity.value)
                                                            : std::nullopt;
}

CodeView read_code_view(Row& columns) {
    CodeView view;
    auto& code = view.code;
    std::string state;
    view.session = read_session(columns);
    columns.read_into(
        code.hash, code.client_id, from_blob(code.redirect_uri), code.code_challenge, code.key_id,
        code.expires_at, code.redeemed_at, from_blob(state));
    code.session_id = view.session.id;
    if (!state.empty()) code.state = std::move(state);
    return view;
}

} // namespace

void SqlStore::insert_session(const core::Session& session) {
    db_.run(
        "INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, identity_value, virtual_key_id, scope, "
        "resource, created_at, expires_at, revoked_at, redirect_uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.id, session.flow_id, session.token, session.browser, session.client_id,
        name_of(session.identity.kind), to_blob(session.identity.value),
        virtual_key_of(session.identity), to_blob(session.scope.text()), to_blob(session.resource),
        session.created_at, session.expires_at, session.revoked_at, to_blob(session.redirect_uri));
}

void SqlStore::insert_code(const core::IssuedCode& code) {
    db_.run(
        "INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, expires_at, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        code.hash, code.session_id, code.client_id, to_blob(code.redirect_uri), code.code_challenge,
        code.key_id, code.expires_at, to_blob(code.state.value_or("")));
}

std::optional<CodeView> SqlStore::find_code(const core::Digest& hash) {
    return db_.read([&] {
        std::optional<CodeView> found;
        db_.query(
            "SELECT " SESSION_COLUMNS
            ", k.code_hash, k.client_id, k.redirect_uri, k.code_challenge, k.key_id, k.expires_at, "
            "k.redeemed_at, k.state FROM code k JOIN session s ON s.id = k.session_id WHERE k.code_hash = ?",
            [&](Row& columns) { found = read_code_view(columns); }, hash);
        return found;
    });
}

Applied SqlStore::redeem_code(
    const core::Digest& hash, const std::string& redemption,
    const std::optional<core::RefreshToken>& refresh, core::Instant now) {
    return db_.write(
        [&] {
            const auto redeemed = db_.run(
                "UPDATE code SET redeemed_at = ?, redemption = ? WHERE code_hash = ? AND redeemed_at IS NULL AND expires_at > ?",
                now, redemption, hash, now);
            if (redeemed != 1) return Applied::no;
            if (refresh) {
                db_.run(
                    "UPDATE session SET token_expires_at = expires_at, expires_at = ? WHERE id = ? AND token_expires_at IS NULL",
                    refresh->expires_at, refresh->session_id);
                insert_refresh_token(*refresh);
            }
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM code WHERE code_hash = ? AND redemption = ?", hash, redemption);
        });
}

// in: sql  of SESSION_VIEW_COLUMNS
template <class... Bound>
std::vector<core::SessionView> SqlStore::query_sessions(const char* sql, const Bound&... bound) {
    return db_.read([&] {
        std::vector<core::SessionView> sessions;
        db_.query(
            sql, [&](Row& columns) { sessions.push_back(read_session_view(columns)); }, bound...);
        return sessions;
    });
}

std::vector<core::SessionView> SqlStore::list_sessions(core::Instant now) {
    return query_sessions(
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.expires_at > ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 1000",
        now);
}

std::optional<core::SessionView> SqlStore::find_session(const core::SessionId& id) {
    auto found = query_sessions(
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS "WHERE s.id = ?", id);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<core::SessionView> SqlStore::list_browser_sessions(
    const core::Digest& browser, core::Instant now) {
    return query_sessions(
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.browser_hash = ? AND s.revoked_at IS NULL AND s.expires_at > ? ORDER BY s.created_at DESC, s.id LIMIT 100",
        browser, now);
}

std::vector<core::SessionView> SqlStore::list_consents(
    const core::Digest& browser, const core::ClientId& client) {
    return query_sessions(
        "SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
        "WHERE s.browser_hash = ? AND s.client_id = ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 10",
        browser, client);
}

Applied SqlStore::revoke_session(const core::SessionId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now,
                    id) != 1)
                return Applied::no;
            end_accounts_of(
                core::token_owner(core::Identity{}, id), now); // those that are its alone
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id);
        });
}

} // namespace consentgate::store
