// Refresh tokens of identity providers, one for a person. in, out, fail, threads: as store.h says
// for all stores.
#pragma once

#include "consentgate/core/signin/person.h"
#include "consentgate/core/signin/provider_grant.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

class ProviderGrantStore {
public:
    explicit ProviderGrantStore(Database& db) : db_(db) {}

    // In place of the one that is there.
    void put(const core::ProviderGrant& grant);
    std::optional<core::ProviderGrant> find(const core::PersonId& person);

    // Takes the right to ask. in: lease  fresh
    // no: another worker has it, on whatever machine, or there is no such grant
    Applied claim(
        const core::PersonId& person, const std::string& lease, core::Instant now,
        core::Instant until);
    // The answer was good: the next refresh token, and the person as the provider says now, whose
    // later snapshot stays. no: the lease is not ours any more
    Applied renew(
        const core::ProviderGrant& grant, const std::string& lease, const core::Person& person);
    bool holds(const core::PersonId& person, const std::string& lease);
    void remove(const core::PersonId& person);

    // Those that another key encrypts, by person.
    std::vector<core::ProviderGrant> list_to_rekey(
        const core::KeyId& key, const std::string& after, std::size_t limit);
    // no: it was renewed meanwhile. in: before  as it was read
    Applied rekey(const core::ProviderGrant& grant, const core::ProviderGrant& before);

private:
    Database& db_;
};

} // namespace consentgate::store
