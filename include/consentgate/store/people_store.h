// People who signed in at an identity provider. in, out, fail, threads: as store.h says for all
// stores.
#pragma once

#include "consentgate/core/signin/person.h"
#include "consentgate/store/failure.h"

#include <optional>

namespace consentgate::store {

class Database;

class PeopleStore {
public:
    explicit PeopleStore(Database& db) : db_(db) {}

    // Replaces the snapshot of a person who is known. no: they are not, or it is older than theirs.
    Applied renew(const core::Person& person);
    std::optional<core::Person> find(const core::PersonId& id);

private:
    Database& db_;
};

} // namespace consentgate::store
