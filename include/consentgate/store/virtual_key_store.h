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
    // By its text, or by one that it had before and that still works now.
    std::optional<core::VirtualKey> find(const core::Digest& hash, core::Instant now);
    std::vector<core::VirtualKey> list(); // newest first
    bool has_usable(core::Instant now);   // somebody could sign in with a key
    std::size_t count_usable(core::Instant now);
    // Gives an active key another text.
    // in: keep_until  the text of now works until then; absent: neither it nor any text from before
    //                 works any more
    Applied rotate(
        const core::VirtualKeyId& id, const core::Digest& fresh,
        std::optional<core::Instant> keep_until);
    // Until when the longest-lived of the texts from before works; absent: none does.
    std::optional<core::Instant> former_until(const core::VirtualKeyId& id, core::Instant now);
    // For good: the accounts that people linked with the key end too.
    Applied disable(const core::VirtualKeyId& id, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
