#include "consentgate/store/people_store.h"

#include "signin_tables.h"

#include "consentgate/core/signin/remote_groups.h"

namespace consentgate::store {

// An earlier ID token changes nothing, and none changes what the operator said of the person.
bool renew_person(Database& db, const core::Person& person) {
    const auto claims = claims_text(person.claims);
    const auto groups = stored_bytes(person.groups);
    return db.run(
               "UPDATE person SET idp_id = ?, name = ?, email = ?, group_names = ?, "
               "groups_known = ?, claims = ?, last_signin_at = ?, checked_at = ?, "
               "snapshot_at = ?, version = version + 1 WHERE id = ? AND snapshot_at <= ?",
               person.idp, to_blob(person.name), to_blob(person.email), Value(groups),
               person.groups_known, Value(claims), person.last_signin, person.checked_at,
               person.snapshot_at, person.id, person.snapshot_at) == 1;
}

Applied PeopleStore::renew(const core::Person& person) {
    return db_.rewrite([&] { return renew_person(db_, person) ? Applied::yes : Applied::no; });
}

std::optional<core::Person> PeopleStore::find(const core::PersonId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>, " FROM person WHERE id = ?");
    return find_row<core::Person>(db_, statement, id);
}

namespace {

// Sessions from before there was a row know nothing of the person.
void adopt_sessions(Database& db, const core::Person& person) {
    if (person.idp.text != core::remote_idp) return;
    db.run(
        "UPDATE session SET person_id = ? WHERE person_id IS NULL AND identity_kind = ? AND "
        "identity_value = ?",
        person.id, core::name_of(core::IdentityKind::verified_user), to_blob(person.subject));
}

} // namespace

Applied PeopleStore::put(const core::Person& person) {
    const auto known = [&] { return db_.has("SELECT 1 FROM person WHERE id = ?", person.id); };
    if (db_.read(known)) return Applied::no;
    try {
        return db_.write(
            [&] {
                if (known()) return Applied::no;
                insert(db_, person);
                adopt_sessions(db_, person);
                return Applied::yes;
            },
            known);
    } catch (const StoreFailure&) { // another worker did the same at this moment
        if (!db_.read(known)) throw;
        return Applied::no;
    }
}

// The version is what workers remember the person by.
Applied PeopleStore::disable(const core::PersonId& id, core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE person SET disabled_at = ?, version = version + 1 "
                "WHERE id = ? AND disabled_at IS NULL",
                now, id));
        },
        [&] { return db_.has("SELECT 1 FROM person WHERE id = ? AND disabled_at = ?", id, now); });
}

Applied PeopleStore::enable(const core::PersonId& id) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE person SET disabled_at = NULL, version = version + 1 "
                "WHERE id = ? AND disabled_at IS NOT NULL",
                id));
        },
        [&] { return db_.has("SELECT 1 FROM person WHERE id = ? AND disabled_at IS NULL", id); });
}

namespace {

// An account that ended waits for its revocation under an owner of its own.
constexpr char is_idle[] =
    "last_signin_at < ? AND checked_at < ? AND disabled_at IS NULL AND "
    "NOT EXISTS (SELECT 1 FROM session s WHERE s.person_id = person.id) AND "
    "NOT EXISTS (SELECT 1 FROM upstream_token t WHERE t.owner = replace(?, '#', person.id))";

std::string owner_pattern() { return core::Owner::parse("user:#").text(); }

} // namespace

std::vector<core::Person> PeopleStore::list_idle(
    core::Instant since, const std::string& after, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>, " FROM person WHERE ", is_idle,
            " AND id > ? ORDER BY id LIMIT ?");
    return list_rows<core::Person>(db_, statement, since, since, owner_pattern(), after, limit);
}

Applied PeopleStore::remove_idle(const core::PersonId& id, core::Instant since) {
    static constexpr auto statement = sql("DELETE FROM person WHERE id = ? AND ", is_idle);
    return db_.write(
        [&] {
            if (db_.run(statement, id, since, since, owner_pattern()) != 1) return Applied::no;
            db_.run("DELETE FROM browser_signin WHERE person_id = ?", id);
            db_.run("DELETE FROM provider_grant WHERE person_id = ?", id);
            return Applied::yes;
        },
        [&] { return !db_.has("SELECT 1 FROM person WHERE id = ?", id); });
}

std::vector<std::string> PeopleStore::list_remote_names() {
    return db_.read([&] {
        std::vector<std::string> names;
        db_.query(
            "SELECT DISTINCT identity_value FROM session WHERE identity_kind = ? "
            "ORDER BY identity_value",
            [&](Row& row) {
                core::Identity identity{core::IdentityKind::verified_user, {}};
                row.read_into(from_blob(identity.value));
                if (!identity.is_person()) names.push_back(std::move(identity.value));
            },
            core::name_of(core::IdentityKind::verified_user));
        return names;
    });
}

std::vector<core::Person> PeopleStore::list_latest(const core::IdpId& idp, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>,
            " FROM person WHERE idp_id = ? ORDER BY last_signin_at DESC, id LIMIT ?");
    return list_rows<core::Person>(db_, statement, idp, limit);
}

} // namespace consentgate::store
