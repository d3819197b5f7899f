#include "consentgate/store/people_store.h"

#include "signin_tables.h"

namespace consentgate::store {

std::optional<core::Person> PeopleStore::find(const core::PersonId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>, " FROM person WHERE id = ?");
    return find_row<core::Person>(db_, statement, id);
}

} // namespace consentgate::store
