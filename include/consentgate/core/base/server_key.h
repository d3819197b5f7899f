// The server keys as the database knows them: their states, and the rows written with each.
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"

#include <cstddef>
#include <optional>

namespace consentgate::core {

// known: servers have the key in their key files, and nothing was written with it yet. used: the
// key file must hold it. removed: nothing needs it any more; the row stays, so that a key file
// that still holds the key does not bring it back.
enum class KeyState { known, used, removed };

struct ServerKeyRecord {
    KeyId id;
    Digest fingerprint;
    KeyState state = KeyState::used;
    Instant created_at{};
};

// How many rows still need a server key.
struct KeyUse {
    KeyId key;
    std::size_t accounts = 0, services = 0, idps = 0, grants = 0; // encrypted with it
    std::size_t refresh_tokens = 0; // whose successors are computed with it, used or not
    std::size_t codes = 0, upstream_states = 0; // these expire by themselves
    std::optional<Instant> last_use{};          // of its used refresh tokens
    std::optional<Instant> last_expiry{};       // of its codes and upstream states
    std::size_t total() const {
        return accounts + services + idps + grants + refresh_tokens + codes + upstream_states;
    }
};

} // namespace consentgate::core
