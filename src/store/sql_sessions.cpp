#include "sql_store.h"

#include "consentgate/core/text.h"

namespace consentgate::store {

namespace {

struct SessionRow {
    std::string id, flow_id, token_hash, browser_hash, client_id, identity_kind;
    MaybeBlob identity_value;
    BLOB scope, resource;
    Poco::Int64 created_at = 0, expires_at = 0;
    MaybeTime revoked_at;
};

#define SESSION_COLUMNS                                                                                                \
    "s.id, s.flow_id, s.token_hash, s.browser_hash, s.client_id, s.identity_kind, s.identity_value, s.scope, s.resource, " \
    "s.created_at, s.expires_at, s.revoked_at"

void extract(Row& columns, SessionRow& row) {
    columns.into(row.id, row.flow_id, row.token_hash, row.browser_hash, row.client_id, row.identity_kind, row.identity_value,
                 row.scope, row.resource, row.created_at, row.expires_at, row.revoked_at);
}

core::Session session_of(const SessionRow& row) {
    core::Session session;
    session.id = core::SessionId(row.id);
    session.flow_id = core::FlowId(row.flow_id);
    session.token = core::Digest{row.token_hash};
    session.browser = core::Digest{row.browser_hash};
    session.client_id = core::ClientId(row.client_id);
    session.identity = {core::identity_kind(row.identity_kind).value_or(core::IdentityKind::none), from_blob(row.identity_value)};
    session.scope = core::ScopeSet::parse(from_blob(row.scope)).value_or(core::ScopeSet{});
    session.resource = from_blob(row.resource);
    session.created_at = core::from_epoch(row.created_at);
    session.expires_at = core::from_epoch(row.expires_at);
    session.revoked_at = from_maybe_time(row.revoked_at);
    return session;
}

MaybeText virtual_key_of(const core::Identity& identity) {
    return identity.kind == core::IdentityKind::virtual_key ? MaybeText(identity.value) : MaybeText();
}

} // namespace

void SqlStore::insert_session(const core::Session& session) {
    db_.run("INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, identity_value, virtual_key_id, scope, "
            "resource, created_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            session.id.text, session.flow_id.text, session.token.hex, session.browser.hex, session.client_id.text,
            std::string(name_of(session.identity.kind)), to_maybe_blob(session.identity.value), virtual_key_of(session.identity),
            to_blob(session.scope.text()), to_blob(session.resource), core::epoch(session.created_at),
            core::epoch(session.expires_at), to_maybe_time(session.revoked_at));
}

void SqlStore::insert_code(const core::IssuedCode& code) {
    db_.run("INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            code.hash.hex, code.session_id.text, code.client_id.text, to_blob(code.redirect_uri), code.code_challenge,
            code.key_id.text, core::epoch(code.expires_at));
}

std::optional<CodeView> SqlStore::find_code(const core::Digest& hash) {
    return db_.read([&]() -> std::optional<CodeView> {
        CodeView view;
        SessionRow session;
        BLOB redirect_uri;
        Poco::Int64 expires_at = 0;
        MaybeTime redeemed_at;
        auto& code = view.code;
        const auto found = db_.query(
            "SELECT " SESSION_COLUMNS ", k.code_hash, k.client_id, k.redirect_uri, k.code_challenge, k.key_id, k.expires_at, "
            "k.redeemed_at FROM code k JOIN session s ON s.id = k.session_id WHERE k.code_hash = ?",
            [&](Row& columns) {
                extract(columns, session);
                columns.into(code.hash.hex, code.client_id.text, redirect_uri, code.code_challenge, code.key_id.text, expires_at, redeemed_at);
            },
            hash.hex);
        if (found == 0) return std::nullopt;
        view.session = session_of(session);
        code.session_id = view.session.id;
        code.redirect_uri = from_blob(redirect_uri);
        code.expires_at = core::from_epoch(expires_at);
        code.redeemed_at = from_maybe_time(redeemed_at);
        return view;
    });
}

Outcome SqlStore::redeem_code(const core::Digest& hash, const std::string& redemption, core::Instant now) {
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE code SET redeemed_at = ?, redemption = ? WHERE code_hash = ? AND redeemed_at IS NULL AND expires_at > ?",
                                   core::epoch(now), redemption, hash.hex, core::epoch(now)));
        },
        [&] { return db_.has("SELECT 1 FROM code WHERE code_hash = ? AND redemption = ?", hash.hex, redemption); });
}

std::optional<core::SessionView> SqlStore::find_session(const core::Digest& token) {
    return db_.read([&]() -> std::optional<core::SessionView> {
        core::SessionView view;
        SessionRow row;
        MaybeBlob client_name, key_name, services;
        Poco::Nullable<int> client_active, key_active;
        MaybeText key_id, key_hash;
        MaybeTime key_created, key_expires;
        const auto found = db_.query(
            "SELECT " SESSION_COLUMNS ", c.name, c.active, v.id, v.name, v.key_hash, v.active, v.services, v.created_at, v.expires_at "
            "FROM session s LEFT JOIN client c ON c.id = s.client_id LEFT JOIN virtual_key v ON v.id = s.virtual_key_id "
            "WHERE s.token_hash = ?",
            [&](Row& columns) {
                extract(columns, row);
                columns.into(client_name, client_active, key_id, key_name, key_hash, key_active, services, key_created, key_expires);
            },
            token.hex);
        if (found == 0) return std::nullopt;
        view.session = session_of(row);
        view.client_name = from_blob(client_name);
        view.client_active = client_active.value(0) != 0;
        if (!key_id.isNull()) {
            view.virtual_key = core::VirtualKey{core::VirtualKeyId(key_id.value()), from_blob(key_name), core::Digest{key_hash.value("")},
                                                key_active.value(0) != 0, core::from_epoch(key_created.value(0)),
                                                from_maybe_time(key_expires), core::split(from_blob(services), '\n')};
        }
        return view;
    });
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

Outcome SqlStore::revoke_session(const core::SessionId& id, core::Instant now) {
    return db_.write([&] { return outcome(db_.run("UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", core::epoch(now), id.text)); },
                     [&] { return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id.text); });
}

} // namespace consentgate::store
