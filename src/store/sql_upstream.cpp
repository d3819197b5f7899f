#include "account_row.h"
#include "sql_store.h"

namespace consentgate::store {

void SqlStore::insert_account(
    const core::LinkedAccount& token, const std::string& owner, core::Instant now) {
    db_.run(
        "DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", owner,
        token.service); // a reconnect replaces; see transfer_accounts
    db_.run(
        "INSERT INTO upstream_token (id, owner, service_id, access_token, refresh_token, key_id, scope, expires_at, version, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        token.id, owner, token.service, to_blob(token.access_token), to_blob(token.refresh_token),
        token.key_id, to_blob(token.scope), token.expires_at, token.version, now, now);
}

// The token belongs to the flow while the flow is open. Raising the flow's revision in the same
// transaction makes a submit that judged the flow before this moment judge it again, so that no
// token can be left behind.
Applied SqlStore::connect_in_flow(
    const core::FlowId& flow, const core::LinkedAccount& token, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE flow SET revision = revision + 1 WHERE id = ? AND expires_at > ?", flow,
                    now) != 1)
                return Applied::no;
            insert_account(token, core::token_owner(flow), now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

Applied SqlStore::connect_in_session(
    const core::SessionId& session, const core::LinkedAccount& token, core::Instant now) {
    return db_.write(
        [&] {
            if (!db_.has(
                    "SELECT 1 FROM session WHERE id = ? AND revoked_at IS NULL AND expires_at > ?",
                    session, now))
                return Applied::no;
            insert_account(token, token.owner, now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

std::optional<core::LinkedAccount> SqlStore::find_account(
    const std::string& owner, const core::ServiceId& service) {
    return db_.read([&] {
        std::optional<core::LinkedAccount> found;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE owner = ? AND service_id = ?",
            [&](Row& columns) { found = read_account(columns); }, owner, service);
        return found;
    });
}

ServiceAccount SqlStore::find_service_account(
    const std::string& owner, const core::ServiceId& service) {
    return *db_.read_cached(
        accounts_, owner + ' ' + service.text, [&]() -> std::optional<ServiceAccount> {
            ServiceAccount account;
            db_.query(
                "SELECT " SERVICE_COLUMNS ", " UPSTREAM_TOKEN_COLUMNS
                " FROM service LEFT JOIN upstream_token ON upstream_token.service_id = service.id AND upstream_token.owner = ? "
                "WHERE service.id = ?",
                [&](Row& columns) {
                    account.service = read_service(columns);
                    auto token = read_account(columns);
                    if (!token.id.empty()) account.token = std::move(token);
                },
                owner, service);
            return account;
        });
}

std::vector<core::LinkedAccount> SqlStore::list_accounts(const std::string& owner) {
    return db_.read([&] {
        std::vector<core::LinkedAccount> tokens;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE owner = ? ORDER BY service_id",
            [&](Row& columns) { tokens.push_back(read_account(columns)); }, owner);
        return tokens;
    });
}

std::vector<core::LinkedAccount> SqlStore::list_accounts_to_rekey(
    const core::KeyId& key, const std::string& after, std::size_t limit) {
    return db_.read([&] {
        std::vector<core::LinkedAccount> tokens;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE id > ? AND key_id <> ? ORDER BY id LIMIT ?",
            [&](Row& columns) { tokens.push_back(read_account(columns)); }, after, key, limit);
        return tokens;
    });
}

void SqlStore::record_account_use(const std::string& id, core::Instant now) {
    db_.rewrite([&] {
        return applied(db_.run("UPDATE upstream_token SET last_used_at = ? WHERE id = ?", now, id));
    });
}

Applied SqlStore::remove_account(const std::string& id) {
    return db_.write(
        [&] { return applied(db_.run("DELETE FROM upstream_token WHERE id = ?", id)); },
        [&] { return !db_.has("SELECT 1 FROM upstream_token WHERE id = ?", id); });
}

// What is over belongs to nobody, so that no lookup by an owner finds it. A lease stays: whoever is
// refreshing the token writes what it gets into this row, and that is what the service is told
// about.
#define END_TOKEN                                                                                  \
    "UPDATE upstream_token SET owner = ?, ended_at = ?, failures = NULL, retry_at = NULL, version = version + 1 WHERE id = ? AND ended_at IS NULL"

Applied SqlStore::end_account(const std::string& id, core::Instant now) {
    return db_.write(
        [&] { return applied(db_.run(END_TOKEN, core::ended_owner(id), now, id)); },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND ended_at IS NOT NULL", id);
        });
}

// Inside the transaction that ends the owner.
void SqlStore::end_accounts_of(const std::string& owner, core::Instant now) {
    std::vector<std::string> ids;
    db_.query(
        "SELECT id FROM upstream_token WHERE owner = ? ORDER BY service_id",
        [&](Row& columns) { columns.read_into(ids); }, owner);
    for (const auto& id : ids) db_.run(END_TOKEN, core::ended_owner(id), now, id);
}

std::size_t SqlStore::end_accounts_at(
    const core::ServiceId& service, core::Instant now, std::size_t limit) {
    const auto ids = db_.read([&] {
        std::vector<std::string> found;
        db_.query(
            "SELECT id FROM upstream_token WHERE service_id = ? AND ended_at IS NULL ORDER BY id LIMIT ?",
            [&](Row& columns) { columns.read_into(found); }, service, limit);
        return found;
    });
    if (ids.empty()) return 0;
    db_.rewrite([&] {
        for (const auto& id : ids) db_.run(END_TOKEN, core::ended_owner(id), now, id);
        return Applied::yes;
    });
    return ids.size();
}
#undef END_TOKEN

std::vector<core::LinkedAccount> SqlStore::list_accounts_to_revoke_at(
    const core::ServiceId& service, core::Instant now, std::size_t limit) {
    return db_.read([&] {
        std::vector<core::LinkedAccount> tokens;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE service_id = ? AND ended_at IS NOT NULL AND (lease IS NULL OR lease_until <= ?) "
            "ORDER BY id LIMIT ?",
            [&](Row& columns) { tokens.push_back(read_account(columns)); }, service, now, limit);
        return tokens;
    });
}

std::size_t SqlStore::count_accounts_at(const core::ServiceId& service) {
    return db_.read([&] {
        std::int64_t count = 0;
        db_.query(
            "SELECT count(*) FROM upstream_token WHERE service_id = ?",
            [&](Row& columns) { columns.read_into(count); }, service);
        return static_cast<std::size_t>(count);
    });
}

// A service at which another one is just being told is left out, so that a slow one keeps one
// worker waiting and not all.
std::vector<core::LinkedAccount> SqlStore::list_accounts_to_revoke(
    core::Instant now, std::size_t limit) {
    return db_.read([&] {
        std::vector<core::LinkedAccount> tokens;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE ended_at <= ? AND (retry_at IS NULL OR retry_at <= ?) AND "
            "(lease IS NULL OR lease_until <= ?) AND NOT EXISTS (SELECT 1 FROM upstream_token other WHERE other.ended_at <= ? AND "
            "other.service_id = upstream_token.service_id AND other.lease_until > ?) ORDER BY ended_at, id LIMIT ?",
            [&](Row& columns) { tokens.push_back(read_account(columns)); }, now, now, now, now, now,
            limit);
        return tokens;
    });
}

void SqlStore::postpone_revocations(const core::ServiceId& service, core::Instant until) {
    db_.rewrite([&] {
        db_.run(
            "UPDATE upstream_token SET retry_at = ? WHERE ended_at IS NOT NULL AND service_id = ? AND (retry_at IS NULL OR retry_at < ?)",
            until, service, until);
        return Applied::yes;
    });
}

// The gate of refreshing: of any number of workers that found the token due, one writes its lease.
Applied SqlStore::claim_refresh(
    const std::string& id, std::int64_t version, const std::string& lease, core::Instant until,
    core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET lease = ?, lease_until = ? WHERE id = ? AND version = ? AND (lease IS NULL OR lease_until <= ?)",
                lease, until, id, version, now));
        },
        [&] {
            return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND lease = ?", id, lease);
        });
}

// Both answers to "is it in effect": only the holder of a lease raises the version.
Applied SqlStore::save_refreshed(
    const core::LinkedAccount& token, const std::string& lease, core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, scope = ?, expires_at = ?, failures = NULL, "
                "retry_at = NULL, broken_at = NULL, lease = NULL, lease_until = NULL, version = version + 1, updated_at = ? "
                "WHERE id = ? AND lease = ?",
                to_blob(token.access_token), to_blob(token.refresh_token), token.key_id,
                to_blob(token.scope), token.expires_at, now, token.id, lease));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL",
                token.id, token.version + 1);
        });
}

Applied SqlStore::note_refresh_failure(
    const core::LinkedAccount& token, const std::string& lease, core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET failures = ?, retry_at = ?, broken_at = ?, lease = NULL, lease_until = NULL, version = version + 1, "
                "updated_at = ? WHERE id = ? AND lease = ?",
                token.failures, token.retry_at, token.broken_at, now, token.id, lease));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL",
                token.id, token.version + 1);
        });
}

// Inside finalize_flow. What the owner had for the same service before gives way to what was
// connected just now; the service is not told, for at many of them that would end the whole grant,
// and what was connected just now with it. Rows are taken in the order of their service, so that
// two transfers to one owner cannot deadlock.
void SqlStore::transfer_accounts(
    const std::string& from, const std::string& to, core::Instant now) {
    std::vector<std::string> ids, services;
    db_.query(
        "SELECT id, service_id FROM upstream_token WHERE owner = ? ORDER BY service_id",
        [&](Row& columns) { columns.read_into(ids, services); }, from);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        db_.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", to, services[i]);
        db_.run(
            "UPDATE upstream_token SET owner = ?, version = version + 1, updated_at = ? WHERE id = ?",
            to, now, ids[i]);
    }
}

void SqlStore::put_upstream_state(const core::UpstreamState& state) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO upstream_state (state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                state.state, state.browser, state.service, state.flow, state.session,
                to_blob(state.verifier), state.key_id, state.expires_at);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_state WHERE state_hash = ?", state.state); });
}

std::optional<core::UpstreamState> SqlStore::find_upstream_state(const core::Digest& wanted) {
    return db_.read([&] {
        std::optional<core::UpstreamState> found;
        db_.query(
            "SELECT state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at FROM upstream_state WHERE state_hash = ?",
            [&](Row& columns) {
                auto& state = found.emplace();
                columns.read_into(
                    state.state, state.browser, state.service, state.flow, state.session,
                    from_blob(state.verifier), state.key_id, state.expires_at);
            },
            wanted);
        return found;
    });
}

bool SqlStore::has_upstream_state(const core::Digest& browser, const core::ServiceId& service) {
    return db_.read([&] {
        return db_.has(
            "SELECT 1 FROM upstream_state WHERE browser_hash = ? AND service_id = ?", browser,
            service);
    });
}

// A row that is gone after a lost answer may have been taken by somebody else, so it counts as
// that: the person tries again.
Applied SqlStore::consume_upstream_state(const core::Digest& state, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "DELETE FROM upstream_state WHERE state_hash = ? AND expires_at > ?", state, now));
    });
}

} // namespace consentgate::store
