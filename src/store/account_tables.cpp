#include "account_tables.h"

#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

namespace {

// Many services end a whole grant when one of its tokens is revoked, and with it the account that
// was linked just now. So what gives way is revoked only if it is known to be another's there.
void give_way(
    Database& db, const std::string& owner, const core::LinkedAccount& account, core::Instant now) {
    std::vector<std::string> others;
    if (!account.holder_hash.empty())
        db.query(
            "SELECT id FROM upstream_token WHERE owner = ? AND service_id = ? AND "
            "holder_hash IS NOT NULL AND holder_hash <> ?",
            [&](Row& row) { row.read_into(others); }, owner, account.service, account.holder_hash);
    for (const auto& id : others) end_account(db, id, now);
    db.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", owner, account.service);
}

} // namespace

void link_account(
    Database& db, const core::LinkedAccount& account, const core::Owner& owner, core::Instant now) {
    give_way(db, owner.text(), account, now);
    auto linked = account;
    linked.owner = owner;
    linked.created_at = linked.updated_at = now;
    insert(db, linked);
}

// An ended account gets an owner of its own, so that no lookup by an owner finds it. It stays
// sealed for the owner that it had, which the first assignment must read: MariaDB assigns from left
// to right. Its lease stays: the process that is refreshing the account writes the new tokens into
// this row, and those are the ones to revoke at the service.
bool end_account(Database& db, const std::string& id, core::Instant now) {
    return db.run(
               "UPDATE upstream_token SET sealed_for = owner, owner = ?, ended_at = ?, "
               "failures = NULL, failure = NULL, failure_cause = NULL, odd_refusals = NULL, "
               "odd_since = NULL, retry_at = NULL, holder_hash = NULL, holder_name = NULL, "
               "version = version + 1 "
               "WHERE id = ? AND ended_at IS NULL",
               core::Owner::ended(id).text(), now, id) == 1;
}

void end_accounts_of(Database& db, const core::Owner& owner, core::Instant now) {
    std::vector<std::string> ids;
    db.query(
        "SELECT id FROM upstream_token WHERE owner = ? ORDER BY service_id",
        [&](Row& row) { row.read_into(ids); }, owner.text());
    for (const auto& id : ids) end_account(db, id, now);
}

// An account that the new owner had at the same service gives way. The accounts come in the order
// of their service, so that two transfers to one owner cannot deadlock. One that was ended since it
// was read, together with its service, stays ended.
void transfer_accounts(
    Database& db, const core::Owner& from, const std::vector<core::LinkedAccount>& accounts,
    core::Instant now) {
    for (const auto& account : accounts) {
        if (account.ended_at) {
            end_account(db, account.id, now);
            continue;
        }
        const auto new_owner = account.owner.text();
        give_way(db, new_owner, account, now);
        db.run(
            "UPDATE upstream_token SET owner = ?, access_token = ?, refresh_token = ?, "
            "key_id = ?, seal = ?, version = version + 1, updated_at = ? "
            "WHERE id = ? AND owner = ?",
            new_owner, to_blob(account.access_token), to_blob(account.refresh_token),
            account.key_id, account.seal, now, account.id, from.text());
    }
}

} // namespace consentgate::store
