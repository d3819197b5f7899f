#include "consentgate/store/provider_grant_store.h"

#include "signin_tables.h"

namespace consentgate::store {
namespace {

constexpr auto select_grant =
    sql("SELECT ", columns<core::ProviderGrant>, " FROM provider_grant WHERE ");

} // namespace

// The lease goes: whoever asks with the former token must not end what the new one began.
void ProviderGrantStore::put(const core::ProviderGrant& grant) {
    db_.rewrite([&] {
        if (db_.run(
                "UPDATE provider_grant SET refresh_token = ?, key_id = ?, lease = NULL, "
                "lease_until = NULL WHERE person_id = ?",
                to_blob(grant.refresh_token), grant.key_id, grant.person) == 0 &&
            !db_.has("SELECT 1 FROM provider_grant WHERE person_id = ?", grant.person))
            insert(db_, grant);
        return Applied::yes;
    });
}

std::optional<core::ProviderGrant> ProviderGrantStore::find(const core::PersonId& person) {
    static constexpr auto statement = sql(select_grant, "person_id = ?");
    return find_row<core::ProviderGrant>(db_, statement, person);
}

// A lease that ends far ahead is of a clock that has jumped.
Applied ProviderGrantStore::claim(
    const core::PersonId& person, const std::string& lease, core::Instant now,
    core::Instant until) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE provider_grant SET lease = ?, lease_until = ? WHERE person_id = ? AND "
                "(lease_until IS NULL OR lease_until <= ? OR lease_until > ?)",
                lease, until, person, now, until));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM provider_grant WHERE person_id = ? AND lease = ?", person, lease);
        });
}

Applied ProviderGrantStore::renew(
    const core::ProviderGrant& grant, const std::string& lease, const core::Person& person) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE provider_grant SET refresh_token = ?, key_id = ?, lease = NULL, "
                    "lease_until = NULL WHERE person_id = ? AND lease = ?",
                    to_blob(grant.refresh_token), grant.key_id, grant.person, lease) != 1)
                return Applied::no;
            if (!renew_person(db_, person))
                db_.run(
                    "UPDATE person SET checked_at = ?, version = version + 1 WHERE id = ?",
                    person.checked_at, person.id);
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM provider_grant WHERE person_id = ? AND refresh_token = ? AND "
                "lease IS NULL",
                grant.person, to_blob(grant.refresh_token));
        });
}

bool ProviderGrantStore::holds(const core::PersonId& person, const std::string& lease) {
    return db_.read([&] {
        return db_.has(
            "SELECT 1 FROM provider_grant WHERE person_id = ? AND lease = ?", person, lease);
    });
}

void ProviderGrantStore::remove(const core::PersonId& person) {
    db_.rewrite([&] {
        db_.run("DELETE FROM provider_grant WHERE person_id = ?", person);
        return Applied::yes;
    });
}

std::vector<core::ProviderGrant> ProviderGrantStore::list_to_rekey(
    const core::KeyId& key, const std::string& after, std::size_t limit) {
    static constexpr auto statement =
        sql(select_grant, "person_id > ? AND key_id <> ? ORDER BY person_id LIMIT ?");
    return list_rows<core::ProviderGrant>(db_, statement, after, key, limit);
}

Applied ProviderGrantStore::rekey(
    const core::ProviderGrant& grant, const core::ProviderGrant& before) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE provider_grant SET refresh_token = ?, key_id = ? WHERE person_id = ? AND "
            "refresh_token = ?",
            to_blob(grant.refresh_token), grant.key_id, grant.person,
            to_blob(before.refresh_token)));
    });
}

} // namespace consentgate::store
