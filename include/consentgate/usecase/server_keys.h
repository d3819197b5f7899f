// Rotating the server key while requests are served: all servers learn a new key, encrypt new rows
// with it, older rows are encrypted anew, and older keys are removed. spec: docs/requirements.md
// S13
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

// The stage of a key in the key file. added: no server has loaded it yet. known: a server was
// started or reloaded with it. current: encrypts new rows. old: was current before. removed: still
// in the file, and no longer needed.
enum class KeyStage { added, known, current, old, removed };

struct KeyLife {
    core::KeyId key;
    KeyStage stage = KeyStage::added;
    core::KeyUse use;
    std::optional<core::Instant>
        until; // when the rows that expire have expired; absent: none expires
};

// The keys of the key file in its order.
std::vector<KeyLife> list_keys(Dependencies& deps, core::Instant now);

// The key that rotating would use next: of those that were never used, the one added last. Absent:
// there is none.
std::optional<KeyLife> next_key(const std::vector<KeyLife>& keys);

// The key file must not be older than the database: on another machine a rotation may have gone
// further.
// fail: throws std::runtime_error in words for the operator
void require_latest(Dependencies& deps);

// Records that the keyring's last key is used from now on.
void note_current(Dependencies& deps, core::Instant now);

struct Rekeyed {
    std::size_t accounts = 0, services = 0, idps = 0, refresh_tokens = 0;
    std::size_t grants = 0; // of people at identity providers
    std::size_t unreadable =
        0; // rows whose key is missing, or that were changed or moved; they stay as they are
    std::size_t found = 0; // all rows that needed the walk; 0 when it is complete
};

// Encrypts all rows anew with the keyring's last key, in small transactions. Can be stopped
// anywhere.
// in:  after_batch  gets the progress; an exception from it stops the walk
Rekeyed rekey(
    Dependencies& deps, core::Instant now, const std::function<void(const Rekeyed&)>& after_batch);

// Ends a key that no row needs.
// fail: throws std::runtime_error: there is no such key, or what needs it and until when
void retire_key(Dependencies& deps, const core::KeyId& key, core::Instant now);

} // namespace consentgate::usecase
