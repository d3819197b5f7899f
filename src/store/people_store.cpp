#include "consentgate/store/people_store.h"

#include "signin_tables.h"

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

Applied PeopleStore::put(const core::Person& person) {
    const auto known = [&] { return db_.has("SELECT 1 FROM person WHERE id = ?", person.id); };
    if (db_.read(known)) return Applied::no;
    return db_.write(
        [&] {
            if (known()) return Applied::no;
            insert(db_, person);
            return Applied::yes;
        },
        known);
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

std::vector<core::Person> PeopleStore::list_latest(const core::IdpId& idp, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>,
            " FROM person WHERE idp_id = ? ORDER BY last_signin_at DESC, id LIMIT ?");
    return list_rows<core::Person>(db_, statement, idp, limit);
}

} // namespace consentgate::store
