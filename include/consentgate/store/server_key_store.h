// Server keys, as the database knows them, and moving rows from older ones to the newest. in, out,
// fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/base/server_key.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/upstream/service.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

// An account that was encrypted anew, and the key it was encrypted with before.
struct RekeyedAccount {
    core::LinkedAccount token;
    core::KeyId before;
};

// One step of a walk over a table.
struct Step {
    std::string last; // where the next step goes on; empty: this was the last one
    std::size_t found = 0, changed = 0;
};

class ServerKeyStore {
public:
    explicit ServerKeyStore(Database& db) : db_(db) {}

    std::vector<core::ServerKeyRecord> list(); // oldest first
    void put(const core::ServerKeyRecord& key, core::Instant now);
    Applied set_state(const core::KeyId& key, core::KeyState state);
    std::vector<core::KeyUse> list_uses(core::Instant now); // one of each key that has rows

    // Accounts under another key than `key`, by id, from `after` on.
    std::vector<core::LinkedAccount> list_accounts_to_rekey(
        const core::KeyId& key, const std::string& after, std::size_t limit);
    // Each unless it was changed since it was read. Lease and version stay, because the clear
    // content is the same. out: how many
    std::size_t rekey_accounts(const std::vector<RekeyedAccount>& accounts);
    // no: it was changed since it was read.
    Applied rekey_service(const core::Service& service, const core::KeyId& before);
    Applied rekey_registration(const core::FormerRegistration& former, const core::KeyId& before);
    Applied rekey_idp(const core::IdentityProvider& idp, const core::KeyId& before);
    // Unused refresh tokens, and those used before `used_before`, which are not answered again.
    Step rekey_refresh_tokens(
        const core::KeyId& key, core::Instant used_before, const std::string& after,
        std::size_t limit);

private:
    Database& db_;
};

} // namespace consentgate::store
