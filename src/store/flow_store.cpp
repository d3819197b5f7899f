#include "consentgate/store/flow_store.h"

#include "account_row.h"
#include "session_row.h"
#include "token_rows.h"

namespace consentgate::store {

namespace {

#define FLOW_COLUMNS                                                                               \
    "id, client_id, browser_hash, redirect_uri, state, code_challenge, scope, resource, identity_kind, identity_value, revision, created_at, expires_at"

core::FlowView read_flow_view(Row& columns) {
    core::FlowView view;
    auto& flow = view.flow;
    std::string state, scope, identity_kind;
    columns.read_into(
        flow.id, flow.client_id, flow.browser, from_blob(flow.redirect_uri), from_blob(state),
        flow.code_challenge, from_blob(scope), from_blob(flow.resource), identity_kind,
        from_blob(flow.identity.value), flow.revision, flow.created_at, flow.expires_at,
        from_blob(view.client_name), view.client_by_operator,
        view.client_active); // a client deleted meanwhile counts as disabled
    if (!state.empty()) flow.state = std::move(state);
    flow.scope = core::ScopeSet::parse(scope).value_or(core::ScopeSet{});
    flow.identity.kind = core::identity_kind(identity_kind).value_or(core::IdentityKind::none);
    return view;
}

bool has_flow(Database& db, const core::FlowId& id) {
    return db.has("SELECT 1 FROM flow WHERE id = ?", id);
}

} // namespace

void FlowStore::put(const core::Flow& flow) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO flow (" FLOW_COLUMNS
                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                flow.id, flow.client_id, flow.browser, to_blob(flow.redirect_uri),
                to_blob(flow.state.value_or("")), flow.code_challenge, to_blob(flow.scope.text()),
                to_blob(flow.resource), name_of(flow.identity.kind), to_blob(flow.identity.value),
                flow.revision, flow.created_at, flow.expires_at);
            return Applied::yes;
        },
        [&] { return has_flow(db_, flow.id); });
}

std::optional<core::FlowView> FlowStore::find(const core::FlowId& id) {
    return db_.read([&] {
        std::optional<core::FlowView> view;
        db_.query(
            "SELECT f.id, f.client_id, f.browser_hash, f.redirect_uri, f.state, f.code_challenge, f.scope, f.resource, "
            "f.identity_kind, f.identity_value, f.revision, f.created_at, f.expires_at, c.name, c.by_operator, c.active "
            "FROM flow f LEFT JOIN client c ON c.id = f.client_id WHERE f.id = ?",
            [&](Row& columns) { view = read_flow_view(columns); }, id);
        if (view && view->flow.identity.kind == core::IdentityKind::virtual_key) {
            db_.query(
                "SELECT name FROM virtual_key WHERE id = ?",
                [&](Row& columns) { columns.read_into(from_blob(view->virtual_key_name)); },
                view->flow.identity.value);
        }
        return view;
    });
}

std::optional<core::Digest> FlowStore::find_finalized(const core::FlowId& id) {
    return db_.read([&] {
        std::optional<core::Digest> browser;
        db_.query(
            "SELECT browser_hash FROM session WHERE flow_id = ?",
            [&](Row& columns) { columns.read_into(browser); }, id);
        return browser;
    });
}

Applied FlowStore::choose_identity(
    const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
    core::Instant now) {
    const auto kind = name_of(identity.kind);
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE flow SET identity_kind = ?, identity_value = ?, revision = revision + 1 "
                "WHERE id = ? AND revision = ? AND expires_at > ?",
                kind, to_blob(identity.value), id, revision, now));
        },
        [&] { // two that chose the same are alike
            std::string value;
            const auto found = db_.query(
                "SELECT identity_value FROM flow WHERE id = ? AND revision = ? AND identity_kind = ?",
                [&](Row& columns) { columns.read_into(from_blob(value)); }, id, revision + 1, kind);
            return found == 1 && value == identity.value;
        });
}

// The gate comes first and is a single statement: of any number of requests that read the flow, one
// deletes it. The revision makes the identity that was read the identity that is written. The
// UNIQUE flow id of the session is the second lock on the same door, for engines that can tear a
// transaction apart.
Applied FlowStore::finalize(const core::Finalization& finalization) {
    return db_.write(
        [&] {
            const auto consumed = db_.run(
                "DELETE FROM flow WHERE id = ? AND revision = ? AND expires_at > ?",
                finalization.flow_id, finalization.revision, finalization.now);
            if (consumed != 1) return Applied::no;
            insert_session(db_, finalization.session);
            transfer_accounts(
                db_, finalization.flow_owner, finalization.session_owner, finalization.now);
            insert_code(db_, finalization.code);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM session WHERE id = ?", finalization.session.id); });
}

Applied FlowStore::deny(const core::FlowId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("DELETE FROM flow WHERE id = ? AND expires_at > ?", id, now) != 1)
                return Applied::no;
            end_accounts_of(db_, core::token_owner(id), now);
            return Applied::yes;
        },
        [&] {
            return !has_flow(db_, id) && !db_.has("SELECT 1 FROM session WHERE flow_id = ?", id);
        });
}

} // namespace consentgate::store
