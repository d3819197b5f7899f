#include "session_row.h"

#include "consentgate/core/base/text.h"

namespace consentgate::store {

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

} // namespace consentgate::store
