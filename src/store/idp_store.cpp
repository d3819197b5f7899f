#include "consentgate/store/idp_store.h"

#include "idp_table.h"
#include "signin_tables.h"

namespace consentgate::store {
namespace {

constexpr auto select_idp = sql("SELECT ", columns<core::IdentityProvider>, " FROM idp");

} // namespace

Applied IdpStore::put(const core::IdentityProvider& idp) {
    return db_.write(
        [&] {
            if (db_.has(
                    "SELECT 1 FROM idp WHERE id = ? OR issuer_hash = ?", idp.id, issuer_hash(idp)))
                return Applied::no;
            insert(db_, idp);
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM idp WHERE id = ? AND issuer_hash = ?", idp.id, issuer_hash(idp));
        });
}

std::optional<core::IdentityProvider> IdpStore::find(const core::IdpId& id) {
    static constexpr auto statement = sql(select_idp, " WHERE id = ?");
    return find_row<core::IdentityProvider>(db_, statement, id);
}

std::optional<core::IdentityProvider> IdpStore::find_by_issuer(const std::string& issuer) {
    static constexpr auto statement = sql(select_idp, " WHERE issuer_hash = ?");
    return find_row<core::IdentityProvider>(db_, statement, core::sha256(issuer).hex);
}

std::vector<core::IdentityProvider> IdpStore::list() {
    static constexpr auto statement = sql(select_idp, " ORDER BY id");
    return list_rows<core::IdentityProvider>(db_, statement);
}

std::size_t IdpStore::count_active() {
    return db_.read([&] {
        std::int64_t count = 0;
        db_.query(
            "SELECT COUNT(*) FROM idp WHERE active = 1", [&](Row& row) { row.read_into(count); });
        return static_cast<std::size_t>(count);
    });
}

Applied IdpStore::update(const core::IdentityProvider& idp) {
    static constexpr auto statement =
        sql("UPDATE idp SET ", assignments<core::IdentityProvider>,
            ", version = version + 1 WHERE id = ? AND version = ?");
    return db_.write(
        [&] {
            const auto run = [&](const auto&... bound) {
                return db_.run(statement, bound..., idp.id, idp.version);
            };
            return applied(std::apply(run, bindings<List::assignments>(idp)));
        },
        [&] {
            static constexpr auto by_version = sql(select_idp, " WHERE id = ? AND version = ?");
            core::IdentityProvider found;
            const auto rows = db_.query(
                by_version, [&](Row& row) { found = read<core::IdentityProvider>(row); }, idp.id,
                idp.version + 1);
            return rows == 1 && found.title == idp.title && found.active == idp.active &&
                   found.client_secret == idp.client_secret;
        });
}

// A time that is ahead is a clock that has jumped.
Applied IdpStore::claim_keys(const core::IdpId& id, core::Instant not_since, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE idp SET jwks_asked_at = ? WHERE id = ? AND "
            "(jwks_asked_at IS NULL OR jwks_asked_at <= ? OR jwks_asked_at > ?)",
            now, id, not_since, now));
    });
}

Applied IdpStore::keep_keys(const core::IdentityProvider& idp) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE idp SET jwks = ?, jwks_expires_at = ? WHERE id = ? AND version = ?",
            to_blob(idp.jwks), idp.jwks_expires_at, idp.id, idp.version));
    });
}

std::vector<core::Person> IdpStore::list_people(const core::IdpId& id, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>, " FROM person WHERE idp_id = ? ORDER BY id LIMIT ?");
    return list_rows<core::Person>(db_, statement, id, limit);
}

void IdpStore::remove_person(const core::PersonId& person) {
    db_.rewrite([&] {
        db_.run("DELETE FROM browser_signin WHERE person_id = ?", person);
        db_.run("DELETE FROM provider_grant WHERE person_id = ?", person);
        db_.run("DELETE FROM person WHERE id = ?", person);
        return Applied::yes;
    });
}

Applied IdpStore::remove(const core::IdpId& id) {
    return db_.write(
        [&] {
            if (db_.has("SELECT 1 FROM person WHERE idp_id = ? LIMIT 1", id)) return Applied::no;
            if (db_.run("DELETE FROM idp WHERE id = ?", id) != 1) return Applied::no;
            db_.run("DELETE FROM signin_state WHERE idp_id = ?", id);
            db_.run("DELETE FROM signin_trial WHERE idp_id = ?", id);
            return Applied::yes;
        },
        [&] { return !db_.has("SELECT 1 FROM idp WHERE id = ?", id); });
}

} // namespace consentgate::store
