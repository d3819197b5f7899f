#include "sql_store.h"

namespace consentgate::store {

namespace {

struct FlowRow {
    std::string id, client_id, browser_hash, code_challenge, identity_kind;
    Blob redirect_uri, scope, resource;
    MaybeBlob state, identity_value, client_name, key_name;
    Poco::Int64 revision = 0, created_at = 0, expires_at = 0;
    Poco::Nullable<int> by_operator, active;
};

FlowView view_of(const FlowRow& row) {
    FlowView view;
    auto& flow = view.flow;
    flow.id = core::FlowId(row.id);
    flow.client_id = core::ClientId(row.client_id);
    flow.browser = core::Digest{row.browser_hash};
    flow.redirect_uri = from_blob(row.redirect_uri);
    if (!row.state.isNull()) flow.state = from_blob(row.state);
    flow.code_challenge = row.code_challenge;
    flow.scope = core::ScopeSet::parse(from_blob(row.scope)).value_or(core::ScopeSet{});
    flow.resource = from_blob(row.resource);
    flow.identity = {core::identity_kind(row.identity_kind).value_or(core::IdentityKind::none), from_blob(row.identity_value)};
    flow.revision = row.revision;
    flow.created_at = core::from_epoch(row.created_at);
    flow.expires_at = core::from_epoch(row.expires_at);
    view.client_name = from_blob(row.client_name);
    view.client_by_operator = row.by_operator.value(0) != 0;
    view.client_active = row.active.value(0) != 0; // a client deleted meanwhile counts as disabled
    view.virtual_key_name = from_blob(row.key_name);
    return view;
}

} // namespace

void SqlStore::put_flow(const core::Flow& flow) {
    db_.write(
        [&] {
            db_.run("INSERT INTO flow (id, client_id, browser_hash, redirect_uri, state, code_challenge, scope, resource, identity_kind, "
                    "identity_value, revision, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    flow.id.text, flow.client_id.text, flow.browser.hex, to_blob(flow.redirect_uri),
                    to_maybe_blob(flow.state.value_or("")), flow.code_challenge, to_blob(flow.scope.text()), to_blob(flow.resource),
                    std::string(name_of(flow.identity.kind)), to_maybe_blob(flow.identity.value), flow.revision,
                    core::epoch(flow.created_at), core::epoch(flow.expires_at));
            return Outcome::done;
        },
        [&] { return has_flow(flow.id); });
}

std::optional<FlowView> SqlStore::find_flow(const core::FlowId& id) {
    return db_.read([&]() -> std::optional<FlowView> {
        FlowRow row;
        const auto found = db_.query(
            "SELECT f.id, f.client_id, f.browser_hash, f.redirect_uri, f.state, f.code_challenge, f.scope, f.resource, "
            "f.identity_kind, f.identity_value, f.revision, f.created_at, f.expires_at, c.name, c.by_operator, c.active "
            "FROM flow f LEFT JOIN client c ON c.id = f.client_id WHERE f.id = ?",
            [&](Row& columns) {
                columns.into(row.id, row.client_id, row.browser_hash, row.redirect_uri, row.state, row.code_challenge, row.scope,
                             row.resource, row.identity_kind, row.identity_value, row.revision, row.created_at, row.expires_at,
                             row.client_name, row.by_operator, row.active);
            },
            id.text);
        if (found == 0) return std::nullopt;
        if (row.identity_kind == name_of(core::IdentityKind::virtual_key)) {
            db_.query("SELECT name FROM virtual_key WHERE id = ?",
                      [&](Row& columns) { columns.into(row.key_name); }, from_blob(row.identity_value));
        }
        return view_of(row);
    });
}

std::optional<core::Digest> SqlStore::find_settled(const core::FlowId& id) {
    return db_.read([&]() -> std::optional<core::Digest> {
        core::Digest browser;
        const auto found = db_.query("SELECT browser_hash FROM session WHERE flow_id = ?",
                                     [&](Row& columns) { columns.into(browser.hex); }, id.text);
        if (found == 0) return std::nullopt;
        return browser;
    });
}

Outcome SqlStore::choose_identity(const core::FlowId& id, std::int64_t revision, const core::Identity& identity, core::Instant now) {
    const std::string kind(name_of(identity.kind));
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE flow SET identity_kind = ?, identity_value = ?, revision = revision + 1 "
                                   "WHERE id = ? AND revision = ? AND expires_at > ?",
                                   kind, to_maybe_blob(identity.value), id.text, revision, core::epoch(now)));
        },
        [&] { // two that chose the same are alike
            MaybeBlob value;
            const auto found = db_.query("SELECT identity_value FROM flow WHERE id = ? AND revision = ? AND identity_kind = ?",
                                         [&](Row& columns) { columns.into(value); }, id.text, revision + 1, kind);
            return found == 1 && from_blob(value) == identity.value;
        });
}

bool SqlStore::has_flow(const core::FlowId& id) { return db_.has("SELECT 1 FROM flow WHERE id = ?", id.text); }

// The gate comes first and is a single statement: of any number of requests that read the flow, one deletes it. The
// revision makes the identity that was read the identity that is written. The UNIQUE flow id of the session is the
// second lock on the same door, for engines that can tear a transaction apart.
Outcome SqlStore::settle_flow(const core::Settlement& settlement) {
    return db_.write(
        [&] {
            const auto consumed = db_.run("DELETE FROM flow WHERE id = ? AND revision = ? AND expires_at > ?", settlement.flow_id.text,
                                          settlement.revision, core::epoch(settlement.now));
            if (consumed != 1) return Outcome::gone;
            insert_session(settlement.session);
            transfer_upstream_tokens(settlement.flow_owner, settlement.session_owner, settlement.now);
            insert_code(settlement.code);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM session WHERE id = ?", settlement.session.id.text); });
}

Outcome SqlStore::deny_flow(const core::FlowId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("DELETE FROM flow WHERE id = ? AND expires_at > ?", id.text, core::epoch(now)) != 1) return Outcome::gone;
            end_tokens_of(core::token_owner(id), now);
            return Outcome::done;
        },
        [&] { return !has_flow(id) && !db_.has("SELECT 1 FROM session WHERE flow_id = ?", id.text); });
}

} // namespace consentgate::store
