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

// An account that is being refreshed is sealed for the owner that it had.
Applied AccountStore::give(const core::LinkedAccount& account, core::Instant now) {
    const auto owner = account.owner.text();
    return db_.write(
        [&] {
            if (db_.has(
                    "SELECT 1 FROM upstream_token WHERE owner = ? AND service_id = ?", owner,
                    account.service))
                return Applied::no;
            return applied(db_.run(
                "UPDATE upstream_token SET owner = ?, access_token = ?, refresh_token = ?, "
                "key_id = ?, seal = ?, version = version + 1, updated_at = ? "
                "WHERE id = ? AND version = ? AND ended_at IS NULL AND "
                "(lease IS NULL OR lease_until <= ?)",
                owner, to_blob(account.access_token), to_blob(account.refresh_token),
                account.key_id, account.seal, now, account.id, account.version, now));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM upstream_token WHERE id = ? AND owner = ?", account.id, owner);
        });
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

void AccountStore::postpone_revocations(const core::ServiceId& service, core::Instant until) {
    db_.rewrite([&] {
        db_.run(
            "UPDATE upstream_token SET retry_at = ? WHERE ended_at IS NOT NULL AND "
            "service_id = ? AND (retry_at IS NULL OR retry_at < ?)",
            until, service, until);
        return Applied::yes;
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
