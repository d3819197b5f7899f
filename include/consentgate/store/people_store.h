// People who signed in at an identity provider. in, out, fail, threads: as store.h says for all
// stores.
#pragma once

#include "consentgate/core/signin/person.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

class PeopleStore {
public:
    explicit PeopleStore(Database& db) : db_(db) {}

    // Replaces the snapshot of a person who is known. no: they are not, or it is older than theirs.
    Applied renew(const core::Person& person);
    std::optional<core::Person> find(const core::PersonId& id);
    // no: there is a person of that id already
    Applied put(const core::Person& person);

    // The person may do nothing from now on, or anything again; every request that begins later
    // sees it. no: it was so before, or they are not known
    Applied disable(const core::PersonId& id, core::Instant now);
    Applied enable(const core::PersonId& id);

    // People whom no provider has vouched for since then, who are not disabled, and who have no
    // session and no account: the next of them by id.
    std::vector<core::Person> list_idle(
        core::Instant since, const std::string& after, std::size_t limit);
    // Deletes one of those, with what is left of their sign-ins. no: they are none of them now
    Applied remove_idle(const core::PersonId& id, core::Instant since);

    // The names that the web server gave to people of sessions that are kept, by name.
    std::vector<std::string> list_remote_names();

    // Returns those who signed in at the provider last, newest first.
    std::vector<core::Person> list_latest(const core::IdpId& idp, std::size_t limit);

private:
    Database& db_;
};

} // namespace consentgate::store
