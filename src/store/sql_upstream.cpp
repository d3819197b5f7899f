#include "sql_store.h"

namespace consentgate::store {

namespace {

#define UPSTREAM_TOKEN_COLUMNS "id, owner, service_id, access_token, refresh_token, key_id, scope, expires_at, version, failures, retry_at, broken_at, " \
                               "created_at, updated_at, last_used_at, ended_at"

core::UpstreamToken take_upstream_token(Row& columns) {
    core::UpstreamToken token;
    Blob access;
    MaybeBlob refresh, scope;
    MaybeTime expires_at, failures, retry_at, broken_at, created_at, updated_at, last_used_at, ended_at;
    columns.into(token.id, token.owner, token.service.text, access, refresh, token.key_id.text, scope, expires_at, token.version, failures, retry_at,
                 broken_at, created_at, updated_at, last_used_at, ended_at);
    token.access_token = from_blob(access);
    token.refresh_token = from_blob(refresh);
    token.scope = from_blob(scope);
    token.expires_at = from_maybe_time(expires_at);
    token.failures = failures.value(0);
    token.retry_at = from_maybe_time(retry_at);
    token.broken_at = from_maybe_time(broken_at);
    token.created_at = from_maybe_time(created_at);
    token.updated_at = from_maybe_time(updated_at);
    token.last_used_at = from_maybe_time(last_used_at);
    token.ended_at = from_maybe_time(ended_at);
    return token;
}

} // namespace

void SqlStore::insert_upstream_token(const core::UpstreamToken& token, const std::string& owner, core::Instant now) {
    const auto at = core::epoch(now);
    db_.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", owner, token.service.text); // a reconnect replaces; see transfer_upstream_tokens
    db_.run("INSERT INTO upstream_token (id, owner, service_id, access_token, refresh_token, key_id, scope, expires_at, version, created_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            token.id, owner, token.service.text, to_blob(token.access_token), to_maybe_blob(token.refresh_token), token.key_id.text,
            to_maybe_blob(token.scope), to_maybe_time(token.expires_at), token.version, at, at);
}

// The token belongs to the flow while the flow is open. Raising the flow's revision in the same transaction makes a
// submit that judged the flow before this moment judge it again, so that no token can be left behind.
Outcome SqlStore::connect_in_flow(const core::FlowId& flow, const core::UpstreamToken& token, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("UPDATE flow SET revision = revision + 1 WHERE id = ? AND expires_at > ?", flow.text, core::epoch(now)) != 1) return Outcome::gone;
            insert_upstream_token(token, core::token_owner(flow), now);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

Outcome SqlStore::connect_in_session(const core::SessionId& session, const core::UpstreamToken& token, core::Instant now) {
    return db_.write(
        [&] {
            if (!db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NULL AND expires_at > ?", session.text, core::epoch(now))) return Outcome::gone;
            insert_upstream_token(token, token.owner, now);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

std::optional<core::UpstreamToken> SqlStore::find_upstream_token(const std::string& owner, const core::ServiceId& service) {
    return db_.read([&] {
        std::optional<core::UpstreamToken> found;
        db_.query("SELECT " UPSTREAM_TOKEN_COLUMNS " FROM upstream_token WHERE owner = ? AND service_id = ?",
                  [&](Row& columns) { found = take_upstream_token(columns); }, owner, service.text);
        return found;
    });
}

std::vector<core::UpstreamToken> SqlStore::list_upstream_tokens(const std::string& owner) {
    return db_.read([&] {
        std::vector<core::UpstreamToken> tokens;
        db_.query("SELECT " UPSTREAM_TOKEN_COLUMNS " FROM upstream_token WHERE owner = ? ORDER BY service_id",
                  [&](Row& columns) { tokens.push_back(take_upstream_token(columns)); }, owner);
        return tokens;
    });
}

std::vector<core::UpstreamToken> SqlStore::list_tokens_to_rekey(const core::KeyId& key, const std::string& after, std::size_t most) {
    return db_.read([&] {
        std::vector<core::UpstreamToken> tokens;
        db_.query("SELECT " UPSTREAM_TOKEN_COLUMNS " FROM upstream_token WHERE id > ? AND key_id <> ? ORDER BY id LIMIT ?",
                  [&](Row& columns) { tokens.push_back(take_upstream_token(columns)); }, after, key.text, static_cast<std::int64_t>(most));
        return tokens;
    });
}

void SqlStore::touch_upstream_token(const std::string& id, core::Instant now) {
    db_.rewrite([&] { return outcome(db_.run("UPDATE upstream_token SET last_used_at = ? WHERE id = ?", core::epoch(now), id)); });
}

Outcome SqlStore::remove_upstream_token(const std::string& id) {
    return db_.write([&] { return outcome(db_.run("DELETE FROM upstream_token WHERE id = ?", id)); },
                     [&] { return !db_.has("SELECT 1 FROM upstream_token WHERE id = ?", id); });
}

// What is over belongs to nobody, so that no lookup by an owner finds it. A lease stays: whoever is refreshing the token writes
// what it gets into this row, and that is what the service is told about.
#define END_TOKEN "UPDATE upstream_token SET owner = ?, ended_at = ?, failures = NULL, retry_at = NULL, version = version + 1 WHERE id = ? AND ended_at IS NULL"

Outcome SqlStore::end_upstream_token(const std::string& id, core::Instant now) {
    return db_.write([&] { return outcome(db_.run(END_TOKEN, core::ended_owner(id), core::epoch(now), id)); },
                     [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND ended_at IS NOT NULL", id); });
}

// Inside the transaction that ends the owner.
void SqlStore::end_tokens_of(const std::string& owner, core::Instant now) {
    std::vector<std::string> ids;
    db_.query("SELECT id FROM upstream_token WHERE owner = ? ORDER BY service_id", [&](Row& columns) { columns.into(ids); }, owner);
    for (const auto& id : ids) db_.run(END_TOKEN, core::ended_owner(id), core::epoch(now), id);
}

std::size_t SqlStore::end_tokens_at(const core::ServiceId& service, core::Instant now, std::size_t most) {
    const auto ids = db_.read([&] {
        std::vector<std::string> found;
        db_.query("SELECT id FROM upstream_token WHERE service_id = ? AND ended_at IS NULL ORDER BY id LIMIT ?", [&](Row& columns) { columns.into(found); },
                  service.text, static_cast<std::int64_t>(most));
        return found;
    });
    if (ids.empty()) return 0;
    db_.rewrite([&] {
        for (const auto& id : ids) db_.run(END_TOKEN, core::ended_owner(id), core::epoch(now), id);
        return Outcome::done;
    });
    return ids.size();
}
#undef END_TOKEN

std::vector<core::UpstreamToken> SqlStore::list_ended_tokens_at(const core::ServiceId& service, core::Instant now, std::size_t most) {
    return db_.read([&] {
        std::vector<core::UpstreamToken> tokens;
        db_.query("SELECT " UPSTREAM_TOKEN_COLUMNS " FROM upstream_token WHERE service_id = ? AND ended_at IS NOT NULL AND (lease IS NULL OR lease_until <= ?) "
                  "ORDER BY id LIMIT ?",
                  [&](Row& columns) { tokens.push_back(take_upstream_token(columns)); }, service.text, core::epoch(now), static_cast<std::int64_t>(most));
        return tokens;
    });
}

std::size_t SqlStore::count_tokens_at(const core::ServiceId& service) {
    return db_.read([&] {
        Poco::Int64 count = 0;
        db_.query("SELECT count(*) FROM upstream_token WHERE service_id = ?", [&](Row& columns) { columns.into(count); }, service.text);
        return static_cast<std::size_t>(count);
    });
}

// A service at which another one is just being told is left out, so that a slow one keeps one worker waiting and not all.
std::vector<core::UpstreamToken> SqlStore::list_ended_tokens(core::Instant now, std::size_t most) {
    const auto at = core::epoch(now);
    return db_.read([&] {
        std::vector<core::UpstreamToken> tokens;
        db_.query("SELECT " UPSTREAM_TOKEN_COLUMNS " FROM upstream_token WHERE ended_at <= ? AND (retry_at IS NULL OR retry_at <= ?) AND "
                  "(lease IS NULL OR lease_until <= ?) AND NOT EXISTS (SELECT 1 FROM upstream_token other WHERE other.ended_at <= ? AND "
                  "other.service_id = upstream_token.service_id AND other.lease_until > ?) ORDER BY ended_at, id LIMIT ?",
                  [&](Row& columns) { tokens.push_back(take_upstream_token(columns)); }, at, at, at, at, at, static_cast<std::int64_t>(most));
        return tokens;
    });
}

void SqlStore::postpone_ended_tokens(const core::ServiceId& service, core::Instant until) {
    const auto at = core::epoch(until);
    db_.rewrite([&] {
        db_.run("UPDATE upstream_token SET retry_at = ? WHERE ended_at IS NOT NULL AND service_id = ? AND (retry_at IS NULL OR retry_at < ?)", at, service.text, at);
        return Outcome::done;
    });
}

// The gate of refreshing: of any number of workers that found the token due, one writes its lease.
Outcome SqlStore::claim_refresh(const std::string& id, std::int64_t version, const std::string& lease, core::Instant until, core::Instant now) {
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE upstream_token SET lease = ?, lease_until = ? WHERE id = ? AND version = ? AND (lease IS NULL OR lease_until <= ?)", lease,
                                   core::epoch(until), id, version, core::epoch(now)));
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND lease = ?", id, lease); });
}

// Both answers to "is it in effect": only the holder of a lease raises the version.
Outcome SqlStore::keep_refreshed(const core::UpstreamToken& token, const std::string& lease, core::Instant now) {
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, scope = ?, expires_at = ?, failures = NULL, "
                                   "retry_at = NULL, broken_at = NULL, lease = NULL, lease_until = NULL, version = version + 1, updated_at = ? "
                                   "WHERE id = ? AND lease = ?",
                                   to_blob(token.access_token), to_maybe_blob(token.refresh_token), token.key_id.text, to_maybe_blob(token.scope),
                                   to_maybe_time(token.expires_at), core::epoch(now), token.id, lease));
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL", token.id, token.version + 1); });
}

Outcome SqlStore::note_refresh_failure(const core::UpstreamToken& token, const std::string& lease, core::Instant now) {
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE upstream_token SET failures = ?, retry_at = ?, broken_at = ?, lease = NULL, lease_until = NULL, version = version + 1, "
                                   "updated_at = ? WHERE id = ? AND lease = ?",
                                   token.failures, to_maybe_time(token.retry_at), to_maybe_time(token.broken_at), core::epoch(now), token.id, lease));
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL", token.id, token.version + 1); });
}

// Inside settle_flow. What the owner had for the same service before gives way to what was connected just now; the service is
// not told, for at many of them that would end the whole grant, and what was connected just now with it. Rows are
// taken in the order of their service, so that two transfers to one owner cannot deadlock.
void SqlStore::transfer_upstream_tokens(const std::string& from, const std::string& to, core::Instant now) {
    std::vector<std::string> ids, services;
    db_.query("SELECT id, service_id FROM upstream_token WHERE owner = ? ORDER BY service_id",
              [&](Row& columns) { columns.into(ids, services); }, from);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        db_.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", to, services[i]);
        db_.run("UPDATE upstream_token SET owner = ?, version = version + 1, updated_at = ? WHERE id = ?", to, core::epoch(now), ids[i]);
    }
}

void SqlStore::put_upstream_state(const core::UpstreamState& state) {
    db_.write(
        [&] {
            db_.run("INSERT INTO upstream_state (state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    state.state.hex, state.browser.hex, state.service.text, state.flow ? MaybeText(state.flow->text) : MaybeText(),
                    state.session ? MaybeText(state.session->text) : MaybeText(), to_blob(state.verifier), state.key_id.text, core::epoch(state.expires_at));
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_state WHERE state_hash = ?", state.state.hex); });
}

std::optional<core::UpstreamState> SqlStore::find_upstream_state(const core::Digest& wanted) {
    return db_.read([&]() -> std::optional<core::UpstreamState> {
        core::UpstreamState state;
        MaybeText flow, session;
        Blob verifier;
        Poco::Int64 expires_at = 0;
        const auto found = db_.query("SELECT state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at FROM upstream_state "
                                     "WHERE state_hash = ?",
                                     [&](Row& columns) {
                                         columns.into(state.state.hex, state.browser.hex, state.service.text, flow, session, verifier, state.key_id.text, expires_at);
                                     },
                                     wanted.hex);
        if (found == 0) return std::nullopt;
        if (!flow.isNull()) state.flow = core::FlowId(flow.value());
        if (!session.isNull()) state.session = core::SessionId(session.value());
        state.verifier = from_blob(verifier);
        state.expires_at = core::from_epoch(expires_at);
        return state;
    });
}

bool SqlStore::has_upstream_state(const core::Digest& browser, const core::ServiceId& service) {
    return db_.read([&] { return db_.has("SELECT 1 FROM upstream_state WHERE browser_hash = ? AND service_id = ?", browser.hex, service.text); });
}

// A row that is gone after a lost answer may have been taken by somebody else, so it counts as that: the person tries again.
Outcome SqlStore::take_upstream_state(const core::Digest& state, core::Instant now) {
    return db_.rewrite([&] { return outcome(db_.run("DELETE FROM upstream_state WHERE state_hash = ? AND expires_at > ?", state.hex, core::epoch(now))); });
}

} // namespace consentgate::store
