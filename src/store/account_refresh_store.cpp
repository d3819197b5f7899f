// The refresh of linked accounts: who may ask the service, and what its answer makes of them.
#include "account_tables.h"

#include "consentgate/core/upstream/account_state.h"
#include "consentgate/store/account_store.h"

namespace consentgate::store {

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
                "lease_until = NULL, version = version + 1, updated_at = ? "
                "WHERE id = ? AND lease = ?",
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
                "odd_refusals = ?, odd_since = ?, retry_at = ?, broken_at = ?, lease = NULL, "
                "lease_until = NULL, version = version + 1 WHERE id = ? AND lease = ?",
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
                "odd_since = ?, retry_at = ?, lease = NULL, lease_until = NULL, "
                "version = version + 1 WHERE id = ? AND lease = ?",
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

// The version stays, because calls that went on with the token are known by it.
Applied AccountStore::note_doubt(const core::LinkedAccount& account) {
    static constexpr auto doubt =
        sql("UPDATE upstream_token SET doubted_at = ?, doubts = ?, doubts_since = ? "
            "WHERE id = ? AND version = ? AND doubted_at IS NULL AND broken_at IS NULL AND "
            "ended_at IS NULL");
    static constexpr auto end =
        sql("UPDATE upstream_token SET broken_at = ?, failure = ?, failure_cause = ? "
            "WHERE id = ? AND version = ? AND broken_at IS NULL AND ended_at IS NULL");
    return db_.write(
        [&] {
            return applied(
                account.broken_at ? db_.run(
                                        end, account.broken_at, account.failure,
                                        stored(account.failure_cause), account.id, account.version)
                                  : db_.run(
                                        doubt, account.doubted_at, account.doubts,
                                        account.doubts_since, account.id, account.version));
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

} // namespace consentgate::store
