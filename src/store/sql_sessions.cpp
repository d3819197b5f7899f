#include "session_row.h"
#include "sql_store.h"

namespace consentgate::store {

namespace {

MaybeText virtual_key_of(const core::Identity& identity) {
    return identity.kind == core::IdentityKind::virtual_key ? MaybeText(identity.value) : MaybeText();
}

} // namespace

void SqlStore::insert_session(const core::Session& session) {
    db_.run("INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, identity_value, virtual_key_id, scope, "
            "resource, created_at, expires_at, revoked_at, redirect_uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            session.id.text, session.flow_id.text, session.token.hex, session.browser.hex, session.client_id.text,
            std::string(name_of(session.identity.kind)), to_maybe_blob(session.identity.value), virtual_key_of(session.identity),
            to_blob(session.scope.text()), to_blob(session.resource), core::epoch(session.created_at),
            core::epoch(session.expires_at), to_maybe_time(session.revoked_at), to_maybe_blob(session.redirect_uri));
}

void SqlStore::insert_code(const core::IssuedCode& code) {
    db_.run("INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, expires_at, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            code.hash.hex, code.session_id.text, code.client_id.text, to_blob(code.redirect_uri), code.code_challenge,
            code.key_id.text, core::epoch(code.expires_at), to_maybe_blob(code.state.value_or("")));
}

std::optional<CodeView> SqlStore::find_code(const core::Digest& hash) {
    return db_.read([&]() -> std::optional<CodeView> {
        CodeView view;
        SessionRow session;
        Blob redirect_uri;
        Poco::Int64 expires_at = 0;
        MaybeTime redeemed_at;
        MaybeBlob state;
        auto& code = view.code;
        const auto found = db_.query(
            "SELECT " SESSION_COLUMNS ", k.code_hash, k.client_id, k.redirect_uri, k.code_challenge, k.key_id, k.expires_at, "
            "k.redeemed_at, k.state FROM code k JOIN session s ON s.id = k.session_id WHERE k.code_hash = ?",
            [&](Row& columns) {
                extract(columns, session);
                columns.into(code.hash.hex, code.client_id.text, redirect_uri, code.code_challenge, code.key_id.text, expires_at, redeemed_at, state);
            },
            hash.hex);
        if (found == 0) return std::nullopt;
        view.session = session_of(session);
        code.session_id = view.session.id;
        code.redirect_uri = from_blob(redirect_uri);
        code.expires_at = core::from_epoch(expires_at);
        code.redeemed_at = from_maybe_time(redeemed_at);
        if (!state.isNull()) code.state = from_blob(state);
        return view;
    });
}

Outcome SqlStore::redeem_code(const core::Digest& hash, const std::string& redemption, const std::optional<core::RefreshToken>& refresh, core::Instant now) {
    return db_.write(
        [&] {
            const auto redeemed = db_.run("UPDATE code SET redeemed_at = ?, redemption = ? WHERE code_hash = ? AND redeemed_at IS NULL AND expires_at > ?",
                                          core::epoch(now), redemption, hash.hex, core::epoch(now));
            if (redeemed != 1) return Outcome::gone;
            if (refresh) {
                db_.run("UPDATE session SET token_expires_at = expires_at, expires_at = ? WHERE id = ? AND token_expires_at IS NULL",
                        core::epoch(refresh->expires_at), refresh->session_id.text);
                insert_refresh_token(*refresh);
            }
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM code WHERE code_hash = ? AND redemption = ?", hash.hex, redemption); });
}

std::vector<core::SessionView> SqlStore::list_sessions(core::Instant now) {
    return db_.read([&] {
        std::vector<std::string> tokens;
        std::vector<core::SessionView> sessions;
        db_.query("SELECT token_hash FROM session WHERE expires_at > ? AND revoked_at IS NULL ORDER BY created_at DESC, id LIMIT 1000",
                  [&](Row& columns) { columns.into(tokens); }, core::epoch(now));
        for (const auto& token : tokens) {
            if (auto view = find_session(core::Digest{token})) sessions.push_back(std::move(*view));
        }
        return sessions;
    });
}

// in: sql  of SESSION_VIEW_COLUMNS
template <class... Bound> std::vector<core::SessionView> SqlStore::query_sessions(const char* sql, const Bound&... bound) {
    return db_.read([&] {
        std::vector<core::SessionView> sessions;
        const auto take = [&](Row& columns) {
            SessionViewRow row;
            extract(columns, row);
            sessions.push_back(session_view_of(row));
        };
        db_.query(sql, take, bound...);
        return sessions;
    });
}

std::optional<core::SessionView> SqlStore::find_session(const core::SessionId& id) {
    auto found = query_sessions("SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS "WHERE s.id = ?", id.text);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<core::SessionView> SqlStore::list_browser_sessions(const core::Digest& browser, core::Instant now) {
    return query_sessions("SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
                          "WHERE s.browser_hash = ? AND s.revoked_at IS NULL AND s.expires_at > ? ORDER BY s.created_at DESC, s.id LIMIT 100",
                          browser.hex, core::epoch(now));
}

std::vector<core::SessionView> SqlStore::list_consents(const core::Digest& browser, const core::ClientId& client) {
    return query_sessions("SELECT " SESSION_VIEW_COLUMNS " FROM session s " SESSION_VIEW_JOINS
                          "WHERE s.browser_hash = ? AND s.client_id = ? AND s.revoked_at IS NULL ORDER BY s.created_at DESC, s.id LIMIT 10",
                          browser.hex, client.text);
}

Outcome SqlStore::revoke_session(const core::SessionId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", core::epoch(now), id.text) != 1) return Outcome::gone;
            end_tokens_of(core::token_owner(core::Identity{}, id), now); // those that are its alone
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id.text); });
}

} // namespace consentgate::store
