#include "session_row.h"

#include "consentgate/core/text.h"

namespace consentgate::store {

void extract(Row& columns, SessionRow& row) {
    columns.into(row.id, row.flow_id, row.token_hash, row.browser_hash, row.client_id, row.identity_kind, row.identity_value,
                 row.scope, row.resource, row.created_at, row.expires_at, row.revoked_at, row.token_expires_at, row.redirect_uri);
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
    session.token_expires_at = from_maybe_time(row.token_expires_at);
    session.redirect_uri = from_blob(row.redirect_uri);
    return session;
}

void extract(Row& columns, SessionViewRow& row) {
    extract(columns, row.session);
    columns.into(row.client_name, row.client_active, row.key_id, row.key_name, row.key_hash, row.key_active, row.services, row.key_created, row.key_expires);
}

core::SessionView session_view_of(const SessionViewRow& row) {
    core::SessionView view;
    view.session = session_of(row.session);
    view.client_name = from_blob(row.client_name);
    view.client_active = row.client_active.value(0) != 0;
    if (!row.key_id.isNull()) {
        view.virtual_key = core::VirtualKey{core::VirtualKeyId(row.key_id.value()), from_blob(row.key_name), core::Digest{row.key_hash.value("")},
                                            row.key_active.value(0) != 0, core::from_epoch(row.key_created.value(0)),
                                            from_maybe_time(row.key_expires), core::split(from_blob(row.services), '\n')};
    }
    return view;
}

} // namespace consentgate::store
