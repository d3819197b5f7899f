// Identity providers. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

class IdpStore {
public:
    explicit IdpStore(Database& db) : db_(db) {}

    // no: another row has its id or its issuer.
    Applied put(const core::IdentityProvider& idp);
    std::optional<core::IdentityProvider> find(const core::IdpId& id);
    std::optional<core::IdentityProvider> find_by_issuer(const std::string& issuer);
    std::vector<core::IdentityProvider> list(); // by id
    std::size_t count_active();
    // Writes every column and raises the version. no: the row was changed or removed since
    // `idp.version` was read.
    Applied update(const core::IdentityProvider& idp);
    // Takes the right to ask the provider for its keys, before it is asked.
    // no: somebody asked after `not_since`, on whatever machine, or the row is gone.
    Applied claim_keys(const core::IdpId& id, core::Instant not_since, core::Instant now);
    // Keeps the keys that the provider has sent. no: the row was changed since `idp.version`.
    Applied keep_keys(const core::IdentityProvider& idp);

    // People who signed in there, by id.
    std::vector<core::Person> list_people(const core::IdpId& id, std::size_t limit);
    // Deletes the person, and the proofs that browsers have of them. The rows of their sessions
    // and accounts stay: they are ended before.
    void remove_person(const core::PersonId& person);
    // Deletes the row, and browsers on their way there. no: it is unknown, or people are left.
    Applied remove(const core::IdpId& id);

private:
    Database& db_;
};

} // namespace consentgate::store
