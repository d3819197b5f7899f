#include "consentgate/store/flow_store.h"

#include "account_tables.h"
#include "flow_table.h"
#include "session_table.h"
#include "token_tables.h"

#include "consentgate/core/signin/remote_groups.h"

#include <tuple>

namespace consentgate::store {

namespace {

bool has_flow(Database& db, const core::FlowId& id) {
    return db.has("SELECT 1 FROM flow WHERE id = ?", id);
}

// out: whether the flow was there, as it was validated: with the same identity, rules and person
bool consume(Database& db, const core::Finalization& finalization) {
    static constexpr auto by_rules =
        sql("DELETE FROM flow WHERE id = ? AND revision = ? AND expires_at > ? AND "
            "COALESCE((SELECT p.version FROM policy_version p WHERE p.id = 'policy'), 0) = ?");
    static constexpr auto by_person =
        sql(by_rules, " AND EXISTS (SELECT 1 FROM person o LEFT JOIN idp i ON i.id = o.idp_id "
                      "WHERE o.id = ? AND o.version = ? AND o.disabled_at IS NULL AND "
                      "(i.active = 1 OR o.idp_id = ?))");
    const auto& [id, revision, now] =
        std::tie(finalization.flow_id, finalization.revision, finalization.now);
    const auto rules = finalization.policy_version;
    if (!finalization.person) return db.run(by_rules, id, revision, now, rules) == 1;
    const auto& [person, version] = *finalization.person;
    return db.run(by_person, id, revision, now, rules, person, version, core::remote_idp) == 1;
}

// The sign-in that the session comes of has not ended meanwhile, where there is one. A logout at
// the same moment waits for this write, or this write for the logout.
bool is_signed_in(Database& db, const core::Session& session, core::Instant now) {
    return !session.signin ||
           db.run(
               "UPDATE browser_signin SET sessions = coalesce(sessions, 0) + 1 WHERE id = ? AND "
               "ended_at IS NULL AND expires_at > ?",
               *session.signin, now) == 1;
}

} // namespace

void FlowStore::put(const core::Flow& flow) {
    db_.write(
        [&] {
            insert(db_, flow);
            return Applied::yes;
        },
        [&] { return has_flow(db_, flow.id); });
}

std::optional<core::FlowView> FlowStore::find(const core::FlowId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Flow, 'f'>, ", c.name, c.metadata, c.refresh, ",
            "c.by_operator, c.active, p.version ",
            "FROM flow f LEFT JOIN client c ON c.id = f.client_id "
            "LEFT JOIN policy_version p ON p.id = 'policy' WHERE f.id = ?");
    return db_.read([&] {
        std::optional<core::FlowView> view;
        const auto read_view = [&](Row& row) {
            view.emplace().flow = read<core::Flow>(row);
            row.read_into(
                from_blob(view->client_name), from_blob(view->client_metadata),
                view->client_refreshes, view->client_by_operator, view->client_active,
                view->policy_version);
        };
        db_.query(statement, read_view, id);
        if (view && view->flow.identity.kind == core::IdentityKind::virtual_key) {
            db_.query(
                "SELECT name FROM virtual_key WHERE id = ?",
                [&](Row& row) { row.read_into(from_blob(view->virtual_key_name)); },
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
            [&](Row& row) { row.read_into(browser); }, id);
        return browser;
    });
}

// The revision of the write is that of the read, so the identity before is the one that was read.
// Accounts that Anna connected must not become Ben's at Allow.
Applied give_identity(
    Database& db, const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
    core::Instant now) {
    core::Identity before;
    db.query(
        "SELECT identity_kind, identity_value FROM flow WHERE id = ? AND revision = ?",
        [&](Row& row) {
            restore(row, before.kind);
            row.read_into(from_blob(before.value));
        },
        id, revision);
    if (db.run(
            "UPDATE flow SET identity_kind = ?, identity_value = ?, revision = revision + 1 "
            "WHERE id = ? AND revision = ? AND expires_at > ? AND denied_at IS NULL",
            name_of(identity.kind), to_blob(identity.value), id, revision, now) != 1)
        return Applied::no;
    if (before.is_chosen() && before != identity) end_accounts_of(db, core::Owner::of(id), now);
    return Applied::yes;
}

Applied FlowStore::choose_identity(
    const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
    core::Instant now) {
    const auto kind = name_of(identity.kind);
    return db_.write(
        [&] { return give_identity(db_, id, revision, identity, now); },
        [&] { // two requests that chose the same are alike
            std::string value;
            const auto found = db_.query(
                "SELECT identity_value FROM flow WHERE id = ? AND revision = ? AND "
                "identity_kind = ?",
                [&](Row& row) { row.read_into(from_blob(value)); }, id, revision + 1, kind);
            return found == 1 && value == identity.value;
        });
}

Applied FlowStore::choose_resource(const core::Flow& flow, core::Instant now) {
    const auto scope = flow.scope.text();
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE flow SET resource = ?, scope = ?, revision = revision + 1 "
                "WHERE id = ? AND revision = ? AND expires_at > ?",
                to_blob(flow.resource), to_blob(scope), flow.id, flow.revision, now));
        },
        [&] { // two requests that chose the same are alike
            std::string resource, granted;
            const auto found = db_.query(
                "SELECT resource, scope FROM flow WHERE id = ? AND revision = ?",
                [&](Row& row) { row.read_into(from_blob(resource), from_blob(granted)); }, flow.id,
                flow.revision + 1);
            return found == 1 && resource == flow.resource && granted == scope;
        });
}

// The DELETE is a compare-and-set: of any number of requests that read the flow, one deletes it. A
// matching revision proves that the identity we validated is unchanged, and the versions that rules
// and person are as they were when they were asked. The session's UNIQUE flow_id keeps a flow from
// giving two sessions even on an engine that tears a transaction apart.
Applied FlowStore::finalize(
    const core::Finalization& finalization, const std::vector<core::LinkedAccount>& accounts) {
    return db_.write(
        [&] {
            if (!is_signed_in(db_, finalization.session, finalization.now)) return Applied::no;
            if (!consume(db_, finalization)) return Applied::no;
            insert(db_, finalization.session);
            transfer_accounts(db_, finalization.flow_owner, accounts, finalization.now);
            insert(db_, finalization.code);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM session WHERE id = ?", finalization.session.id); });
}

// The row stays, denied, until it is swept: the page that leads back to the app reads it. Its
// higher revision makes every write that validated the open flow lose.
Applied FlowStore::deny(const core::FlowId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE flow SET denied_at = ?, revision = revision + 1 "
                    "WHERE id = ? AND denied_at IS NULL AND expires_at > ?",
                    now, id, now) != 1)
                return Applied::no;
            end_accounts_of(db_, core::Owner::of(id), now);
            return Applied::yes;
        },
        [&] { // two denials are alike
            return db_.has("SELECT 1 FROM flow WHERE id = ? AND denied_at IS NOT NULL", id);
        });
}

} // namespace consentgate::store
