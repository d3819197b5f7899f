// Linked accounts: people's tokens at upstream services. An owner has at most one at each service.
// in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/upstream/service.h"
#include "consentgate/core/upstream/service_health.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;
template <class Value> class Recent;

class AccountStore {
public:
    AccountStore(Database& db, std::size_t max_cached);
    ~AccountStore();

    // Connecting replaces the account that the owner had at the service.
    // The flow becomes the owner. no: the flow is no longer open.
    Applied connect_in_flow(
        const core::FlowId& flow, const core::LinkedAccount& account, core::Instant now);
    // The owner is the account's own, which is that of the session. no: the session is over.
    Applied connect_in_session(
        const core::SessionId& session, const core::LinkedAccount& account, core::Instant now);

    std::optional<core::LinkedAccount> find(
        const core::Owner& owner, const core::ServiceId& service);
    std::optional<core::LinkedAccount> find_by_id(const std::string& id);
    // Writes what core::after_refused_token made of the account. no: the token was replaced, is
    // doubted already, or the account is over.
    Applied note_doubt(const core::LinkedAccount& account);
    // The service and the account in one statement, because every call through the gate asks for
    // them.
    core::ServiceAccount find_with_service(
        const core::Owner& owner, const core::ServiceId& service);
    std::vector<core::LinkedAccount> list(const core::Owner& owner); // by service
    std::size_t count_at(const core::ServiceId& service);            // ended ones included
    // Which service gives the longest access token, and its bytes as stored, encrypted: a few more
    // than the token's own. Absent: there is no account.
    struct LongestToken {
        core::ServiceId service;
        std::size_t bytes = 0;
    };
    std::optional<LongestToken> find_longest_token();
    // Returns each service that has accounts, by id; leaves out those of sign-ins in progress.
    std::vector<core::ServiceHealth> health(core::Instant now);
    void record_use(const std::string& id, core::Instant now); // writes last_used_at

    // Refreshing takes a lease: the process that holds it may ask the service until `until`.
    // no: another process holds a lease, or the account has changed since `version` was read.
    // in: lease  a fresh id
    Applied claim_refresh(
        const std::string& id, std::int64_t version, const std::string& lease, core::Instant until,
        core::Instant now);
    // All end the lease and write the account's state. The first writes the new tokens, and the
    // last a new refresh token that came without a usable access token. no: the lease is no longer
    // ours.
    Applied save_refreshed(
        const core::LinkedAccount& account, const std::string& lease, core::Instant now);
    Applied note_refresh_failure(const core::LinkedAccount& account, const std::string& lease);
    Applied save_rotated(const core::LinkedAccount& account, const std::string& lease);
    // Accounts that core::is_refreshed_ahead, those whose token ends first.
    std::vector<core::LinkedAccount> list_to_refresh(core::Instant now, std::size_t limit);

    // Gives the account to another owner, for whom it was sealed since it was read. no: it has
    // changed or ended since then, or the owner has an account at that service.
    // in: account  with the new owner and the version that was read
    Applied give(const core::LinkedAccount& account, core::Instant now);
    // Takes the account from its owner; the row stays until the account is revoked at its service.
    // no: it has ended before.
    Applied mark_ended(const std::string& id, core::Instant now);
    // Ends at most `limit` accounts at one service. out: how many
    std::size_t mark_ended_at(const core::ServiceId& service, core::Instant now, std::size_t limit);
    // Ended accounts whose revocation is due, longest ended first. The process that revokes one
    // claims it as for refreshing, and then removes it, or notes the failure and postpones the
    // revocations of its service.
    std::vector<core::LinkedAccount> list_to_revoke(core::Instant now, std::size_t limit);
    // Ended accounts at one service that no process is revoking, postponed or not.
    std::vector<core::LinkedAccount> list_to_revoke_at(
        const core::ServiceId& service, core::Instant now, std::size_t limit);
    void postpone_revocations(const core::ServiceId& service, core::Instant until);
    Applied remove(const std::string& id);

    // Accounts from before owners were part of the seal.
    void put_old_seals(const core::OldSeals& permission);
    std::optional<core::OldSeals> find_old_seals(const std::string& id);
    // Those that no process is refreshing, by id.
    std::vector<core::LinkedAccount> list_old_seals(core::Instant now, std::size_t limit);
    // Each unless it was changed since it was read; those that are broken in `accounts` become so.
    // Lease and version stay, because the clear content is the same. out: how many
    std::size_t seal_anew(const std::vector<core::LinkedAccount>& accounts, core::Instant now);
    // Ends the permission. no: there was none, or such accounts are left.
    Applied remove_old_seals(const std::string& id);
    struct Seals {
        std::size_t all = 0, old = 0;
    };
    Seals count_seals();

private:
    Database& db_;
    std::unique_ptr<Recent<core::ServiceAccount>> recent_; // by owner and service
};

} // namespace consentgate::store
