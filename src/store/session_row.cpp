#include "session_row.h"

#include "consentgate/core/base/text.h"

namespace consentgate::store {

namespace {

std::optional<std::string> virtual_key_of(const core::Identity& identity) {
    return identity.kind == core::IdentityKind::virtual_key ? std::optional(identity.value)
                                                            : std::nullopt;
}

} // namespace

core::Session read_session(Row& columns) {
    core::Session session;
    std::string identity_kind, scope;
    columns.read_into(
        session.id, session.flow_id, session.token, session.browser, session.client_id,
        identity_kind, from_blob(session.identity.value), from_blob(scope),
        from_blob(session.resource), session.created_at, session.expires_at, session.revoked_at,
        session.token_expires_at, from_blob(session.redirect_uri));
    session.identity.kind = core::identity_kind(identity_kind).value_or(core::IdentityKind::none);
    session.scope = core::ScopeSet::parse(scope).value_or(core::ScopeSet{});
    return session;
}

core::SessionView read_session_view(Row& columns) {
    core::SessionView view;
    core::VirtualKey key;
    std::string services;
    view.session = read_session(columns);
    columns.read_into(
        from_blob(view.client_name), view.client_active, key.id, from_blob(key.name), key.hash,
        key.active, from_blob(services), key.created_at, key.expires_at);
    if (key.id.text.empty()) return view;
    key.services = core::split(services, '\n');
    view.virtual_key = std::move(key);
    return view;
}

// Call inside read().
std::optional<core::SessionView> find_refreshed_session(Database& db, const core::Digest& token) {
    std::optional<core::SessionView> view;
    db.query(
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

void insert_session(Database& db, const core::Session& session) {
    db.run(
        "INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, identity_value, virtual_key_id, scope, "
        "resource, created_at, expires_at, revoked_at, redirect_uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.id, session.flow_id, session.token, session.browser, session.client_id,
        name_of(session.identity.kind), to_blob(session.identity.value),
        virtual_key_of(session.identity), to_blob(session.scope.text()), to_blob(session.resource),
        session.created_at, session.expires_at, session.revoked_at, to_blob(session.redirect_uri));
}

} // namespace consentgate::store
