// Virtual keys. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/consent.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace consentgate::store {

class Database;

class VirtualKeyStore {
public:
    explicit VirtualKeyStore(Database& db) : db_(db) {}

    void put(const core::VirtualKey& key);
    std::optional<core::VirtualKey> find(const core::VirtualKeyId& id);
    std::optional<core::VirtualKey> find(const core::Digest& hash);
    std::vector<core::VirtualKey> list(); // newest first
    bool has_usable(core::Instant now);   // somebody could sign in with a key
    std::size_t count_usable(core::Instant now);
    // For good: the accounts that people linked with the key end too.
    Applied disable(const core::VirtualKeyId& id, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
