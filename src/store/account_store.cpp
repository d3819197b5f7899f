#include "consentgate/store/account_store.h"

#include "account_tables.h"
#include "recent.h"

#include "consentgate/core/upstream/account_state.h"

#include <algorithm>

namespace consentgate::store {

namespace {

// in: row  of AccountStore::health
void add_to(std::vector<core::ServiceHealth>& all, Row& row) {
    core::ServiceId service;
    auto cause = core::FailureCause::none;
    std::int64_t accounts = 0, broken = 0;
    std::optional<core::Instant> success;
    row.read_into(service);
    restore(row, cause);
    row.read_into(accounts, broken, success);
    if (all.empty() || all.back().service != service)
        all.push_back(core::ServiceHealth{.service = std::move(service)});
    auto& health = all.back();
    const auto working = static_cast<std::size_t>(accounts - broken);
    health.connected += working;
    health.needs_person += static_cast<std::size_t>(broken);
    health.last_success = std::max(health.last_success, success); // none is before any
    if (cause == core::FailureCause::none) return;
    health.failing += working;
    health.failures.push_back({cause, static_cast<std::size_t>(accounts)});
}

} // namespace

AccountStore::AccountStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<Recent<core::ServiceAccount>>(max_cached)) {}
AccountStore::~AccountStore() = default;

// The account belongs to the flow while the flow is open. Raising the flow's revision in the same
// transaction makes a submit that validated the flow before validate it again, so that no account
// is left behind.
Applied AccountStore::connect_in_flow(
    const core::FlowId& flow, const core::LinkedAccount& token, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE flow SET revision = revision + 1 "
                    "WHERE id = ? AND denied_at IS NULL AND expires_at > ?",
                    flow, now) != 1)
                return Applied::no;
            link_account(db_, token, core::Owner::of(flow), now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

Applied AccountStore::connect_in_session(
    const core::SessionId& session, const core::LinkedAccount& token, core::Instant now) {
    return db_.write(
        [&] {
            if (!db_.has(
                    "SELECT 1 FROM session WHERE id = ? AND revoked_at IS NULL AND expires_at > ?",
                    session, now))
                return Applied::no;
            link_account(db_, token, token.owner, now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

std::optional<core::LinkedAccount> AccountStore::find(
    const core::Owner& owner, const core::ServiceId& service) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE owner = ? AND service_id = ?");
    return find_row<core::LinkedAccount>(db_, statement, owner.text(), service);
}

std::optional<core::LinkedAccount> AccountStore::find_by_id(const std::string& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>, " FROM upstream_token WHERE id = ?");
    return find_row<core::LinkedAccount>(db_, statement, id);
}

// The version stays, because calls that went on with the token are known by it.
Applied AccountStore::note_doubt(const core::LinkedAccount& account) {
    static constexpr auto doubt =
        sql("UPDATE upstream_token SET doubted_at = ?, doubts = ?, doubts_since = ? "
            "WHERE id = ? AND version = ? AND doubted_at IS NULL AND broken_at IS NULL AND "
            "ended_at IS NULL");
    static constexpr auto end =
        sql("UPDATE upstream_token SET broken_at = ?, failure = ? "
            "WHERE id = ? AND version = ? AND broken_at IS NULL AND ended_at IS NULL");
    return db_.write(
        [&] {
            return applied(
                account.broken_at
                    ? db_.run(end, account.broken_at, account.failure, account.id, account.version)
                    : db_.run(
                          doubt, account.doubted_at, account.doubts, account.doubts_since,
                          account.id, account.version));
        },
        [&] {
            return account.broken_at
                       ? db_.has(
                             "SELECT 1 FROM upstream_token WHERE id = ? AND broken_at IS NOT NULL",
                             account.id)
                       : db_.has(
                             "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND "
                             "doubted_at IS NOT NULL",
                             account.id, account.version);
        });
}

core::ServiceAccount AccountStore::find_with_service(
    const core::Owner& owner, const core::ServiceId& service) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Service, 's'>, ", ", columns<core::LinkedAccount, 't'>,
            " FROM service s LEFT JOIN upstream_token t ON t.service_id = s.id AND t.owner = ? "
            "WHERE s.id = ?");
    const auto look_up = [&]() -> std::optional<core::ServiceAccount> {
        core::ServiceAccount found;
        const auto read_both = [&](Row& row) {
            found.service = read<core::Service>(row);
            auto account = read<core::LinkedAccount>(row);
            if (!account.id.empty()) found.token = std::move(account);
        };
        db_.query(statement, read_both, owner.text(), service);
        return found;
    };
    return *db_.read_cached(*recent_, owner.text() + ' ' + service.text, look_up);
}

std::vector<core::LinkedAccount> AccountStore::list(const core::Owner& owner) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE owner = ? ORDER BY service_id");
    return list_rows<core::LinkedAccount>(db_, statement, owner.text());
}

std::optional<AccountStore::LongestToken> AccountStore::find_longest_token() {
    return db_.read([&] {
        std::optional<LongestToken> longest;
        db_.query(
            "SELECT service_id, LENGTH(access_token) FROM upstream_token WHERE ended_at IS NULL "
            "ORDER BY LENGTH(access_token) DESC LIMIT 1",
            [&](Row& row) {
                std::int64_t bytes = 0;
                auto& found = longest.emplace();
                row.read_into(found.service);
                row.read_into(bytes);
                found.bytes = static_cast<std::size_t>(bytes);
            });
        return longest;
    });
}

void AccountStore::record_use(const std::string& id, core::Instant now) {
    db_.rewrite([&] {
        return applied(db_.run("UPDATE upstream_token SET last_used_at = ? WHERE id = ?", now, id));
    });
}

Applied AccountStore::remove(const std::string& id) {
    return db_.write(
        [&] { return applied(db_.run("DELETE FROM upstream_token WHERE id = ?", id)); },
        [&] { return !db_.has("SELECT 1 FROM upstream_token WHERE id = ?", id); });
}

Applied AccountStore::mark_ended(const std::string& id, core::Instant now) {
    return db_.write(
        [&] { return end_account(db_, id, now) ? Applied::yes : Applied::no; },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND ended_at IS NOT NULL", id);
        });
}

std::size_t AccountStore::mark_ended_at(
    const core::ServiceId& service, core::Instant now, std::size_t limit) {
    const auto ids = db_.read([&] {
        std::vector<std::string> found;
        db_.query(
            "SELECT id FROM upstream_token WHERE service_id = ? AND ended_at IS NULL "
            "ORDER BY id LIMIT ?",
            [&](Row& row) { row.read_into(found); }, service, limit);
        return found;
    });
    if (ids.empty()) return 0;
    db_.rewrite([&] {
        for (const auto& id : ids) end_account(db_, id, now);
        return Applied::yes;
    });
    return ids.size();
}

std::vector<core::LinkedAccount> AccountStore::list_to_revoke_at(
    const core::ServiceId& service, core::Instant now, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE service_id = ? AND ended_at IS NOT NULL AND "
            "(lease IS NULL OR lease_until <= ? OR lease_until > ?) ORDER BY id LIMIT ?");
    return list_rows<core::LinkedAccount>(
        db_, statement, service, now, now + core::longest_lease, limit);
}

std::size_t AccountStore::count_at(const core::ServiceId& service) {
    return db_.read([&] {
        std::int64_t count = 0;
        db_.query(
            "SELECT count(*) FROM upstream_token WHERE service_id = ?",
            [&](Row& row) { row.read_into(count); }, service);
        return static_cast<std::size_t>(count);
    });
}

// Leaves out a service at which another process is revoking, so that a slow service keeps one
// worker waiting and not all.
std::vector<core::LinkedAccount> AccountStore::list_to_revoke(
    core::Instant now, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount, 't'>,
            " FROM upstream_token t WHERE t.ended_at <= ? AND "
            "(t.retry_at IS NULL OR t.retry_at <= ? OR t.retry_at > ?) AND "
            "(t.lease IS NULL OR t.lease_until <= ? OR t.lease_until > ?) AND NOT EXISTS "
            "(SELECT 1 FROM upstream_token other WHERE other.ended_at <= ? AND "
            "other.service_id = t.service_id AND other.lease_until > ? AND "
            "other.lease_until <= ?) ORDER BY t.ended_at, t.id LIMIT ?");
    const auto furthest_pause = now + core::longest_pause;
    const auto furthest_lease = now + core::longest_lease;
    return list_rows<core::LinkedAccount>(
        db_, statement, now, now, furthest_pause, now, furthest_lease, now, now, furthest_lease,
        limit);
}

// The condition on the life of the token is that of core::is_refreshed_ahead, multiplied out
// because engines divide differently: 3 * (expires_at - now) <= expires_at - updated_at.
std::vector<core::LinkedAccount> AccountStore::list_to_refresh(
    core::Instant now, std::size_t limit) {
    static_assert(core::part_ahead_of_need == 3);
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE expires_at > ? AND expires_at <= ? AND "
            "2 * expires_at + updated_at <= ? AND last_used_at > ? AND last_used_at < ? AND "
            "refresh_token IS NOT NULL AND broken_at IS NULL AND ended_at IS NULL AND "
            "(retry_at IS NULL OR retry_at <= ? OR retry_at > ?) AND "
            "(lease IS NULL OR lease_until <= ? OR lease_until > ?) "
            "ORDER BY expires_at, id LIMIT ?");
    return list_rows<core::LinkedAccount>(
        db_, statement, now - core::used_lately, now + core::ahead_of_need, 3 * core::epoch(now),
        now - core::used_lately, now + core::used_lately, now, now + core::longest_pause, now,
        now + core::longest_lease, limit);
}

void AccountStore::postpone_revocations(const core::ServiceId& service, core::Instant until) {
    db_.rewrite([&] {
        db_.run(
            "UPDATE upstream_token SET retry_at = ? WHERE ended_at IS NOT NULL AND "
            "service_id = ? AND (retry_at IS NULL OR retry_at < ?)",
            until, service, until);
        return Applied::yes;
    });
}

// The lease is a compare-and-set: of any number of workers that found the refresh due, one writes
// it.
Applied AccountStore::claim_refresh(
    const std::string& id, std::int64_t version, const std::string& lease, core::Instant until,
    core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET lease = ?, lease_until = ? "
                "WHERE id = ? AND version = ? AND "
                "(lease IS NULL OR lease_until <= ? OR lease_until > ?)",
                lease, until, id, version, now, now + core::longest_lease));
        },
        [&] {
            return db_.has("SELECT 1 FROM upstream_token WHERE id = ? AND lease = ?", id, lease);
        });
}

// This and the next look for the raised version: only the holder of a lease raises it.
Applied AccountStore::save_refreshed(
    const core::LinkedAccount& token, const std::string& lease, core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, "
                "seal = ?, scope = ?, expires_at = ?, holder_name = ?, failures = NULL, "
                "failure = NULL, failure_cause = NULL, odd_refusals = NULL, odd_since = NULL, "
                "retry_at = NULL, broken_at = NULL, doubted_at = NULL, lease = NULL, "
                "lease_until = NULL, version = version + 1, updated_at = ? WHERE id = ? AND lease = ?",
                to_blob(token.access_token), to_blob(token.refresh_token), token.key_id, token.seal,
                to_blob(token.scope), token.expires_at, to_blob(token.holder_name), now, token.id,
                lease));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL",
                token.id, token.version + 1);
        });
}

Applied AccountStore::note_refresh_failure(
    const core::LinkedAccount& token, const std::string& lease) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET failures = ?, failure = ?, failure_cause = ?, "
                "odd_refusals = ?, odd_since = ?, retry_at = ?, broken_at = ?, lease = NULL, lease_until = NULL, "
                "version = version + 1 WHERE id = ? AND lease = ?",
                token.failures, token.failure, stored(token.failure_cause), token.odd_refusals,
                token.odd_since, token.retry_at, token.broken_at, token.id, lease));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL",
                token.id, token.version + 1);
        });
}

Applied AccountStore::save_rotated(const core::LinkedAccount& token, const std::string& lease) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, "
                "seal = ?, failures = ?, failure = ?, failure_cause = ?, odd_refusals = ?, "
                "odd_since = ?, retry_at = ?, lease = NULL, lease_until = NULL, version = version + 1 "
                "WHERE id = ? AND lease = ?",
                to_blob(token.access_token), to_blob(token.refresh_token), token.key_id, token.seal,
                token.failures, token.failure, stored(token.failure_cause), token.odd_refusals,
                token.odd_since, token.retry_at, token.id, lease));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND version = ? AND lease IS NULL",
                token.id, token.version + 1);
        });
}

// One row for each cause at each service. An account of a sign-in in progress is not yet a
// person's.
std::vector<core::ServiceHealth> AccountStore::health(core::Instant now) {
    return db_.read([&] {
        std::vector<core::ServiceHealth> all;
        db_.query(
            "SELECT service_id, failure_cause, count(*), count(CASE WHEN broken_at IS NOT NULL OR "
            "(expires_at <= ? AND refresh_token IS NULL) THEN 1 END), max(updated_at) "
            "FROM upstream_token WHERE ended_at IS NULL AND owner NOT LIKE 'flow:%' "
            "GROUP BY service_id, failure_cause ORDER BY service_id, failure_cause",
            [&](Row& row) { add_to(all, row); }, now);
        return all;
    });
}

void AccountStore::put_old_seals(const core::OldSeals& permission) {
    db_.rewrite([&] {
        db_.run("DELETE FROM old_seals WHERE id = ?", permission.id);
        insert(db_, permission);
        return Applied::yes;
    });
}

std::optional<core::OldSeals> AccountStore::find_old_seals(const std::string& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::OldSeals>, " FROM old_seals WHERE id = ?");
    return find_row<core::OldSeals>(db_, statement, id);
}

std::vector<core::LinkedAccount> AccountStore::list_old_seals(
    core::Instant now, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE (seal IS NULL OR seal < ?) AND "
            "(lease IS NULL OR lease_until <= ?) ORDER BY id LIMIT ?");
    return list_rows<core::LinkedAccount>(db_, statement, core::current_seal, now, limit);
}

// A change of the owner raises the version, so no account is sealed for an owner that it no longer
// has. The condition on the lease keeps off a process of the version before, which refreshes.
std::size_t AccountStore::seal_anew(
    const std::vector<core::LinkedAccount>& accounts, core::Instant now) {
    std::size_t changed = 0;
    db_.rewrite([&] {
        changed = 0;
        for (const auto& account : accounts) {
            changed += db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, "
                "seal = ?, broken_at = ? WHERE id = ? AND version = ? AND "
                "(seal IS NULL OR seal < ?) AND (lease IS NULL OR lease_until <= ?)",
                to_blob(account.access_token), to_blob(account.refresh_token), account.key_id,
                account.seal, account.broken_at, account.id, account.version, core::current_seal,
                now);
        }
        return Applied::yes;
    });
    return changed;
}

Applied AccountStore::remove_old_seals(const std::string& id) {
    return db_.rewrite([&] {
        if (db_.has(
                "SELECT 1 FROM upstream_token WHERE seal IS NULL OR seal < ? LIMIT 1",
                core::current_seal))
            return Applied::no;
        return applied(db_.run("DELETE FROM old_seals WHERE id = ?", id));
    });
}

AccountStore::Seals AccountStore::count_seals() {
    return db_.read([&] {
        std::int64_t all = 0, of_now = 0;
        db_.query(
            "SELECT count(*), count(CASE WHEN seal >= ? THEN 1 END) FROM upstream_token",
            [&](Row& row) { row.read_into(all, of_now); }, core::current_seal);
        return Seals{static_cast<std::size_t>(all), static_cast<std::size_t>(all - of_now)};
    });
}

} // namespace consentgate::store
