// Changing the server key without stopping: a new key is made known to all servers, then used for
// what is new, then what older keys hold is moved to it, then they are removed. spec: contract
// section 5
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/store/store.h"
#include "consentgate/sys/random.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

// Where a key of the key file is in its life. added: the key file has it, no server is known to.
// known: a server was started or reloaded with it. current: used for what is new. old: was used
// before. removed: still in the file, wanted by nobody.
enum class KeyStage { added, known, current, old, removed };

struct KeyLife {
    core::KeyId key;
    KeyStage stage = KeyStage::added;
    store::KeyUse use;
    std::optional<core::Instant>
        until; // when what runs out by itself has done so; absent: nothing does
};

// The keys of the key file in its order.
// in: grace  for how long a used refresh token is answered again
std::vector<KeyLife> list_keys(
    store::Store& store, const core::Keyring& keyring, core::Span grace, core::Instant now);

// The key that rotating would use next: of those that were never used, the one added last. Absent:
// there is none.
std::optional<KeyLife> next_key(const std::vector<KeyLife>& keys);

// The key file must not be older than the database: on another machine a rotation may have gone
// further.
// fail: throws std::runtime_error in words for the operator
void require_latest(store::Store& store, const core::Keyring& keyring);

// Notes that the keyring's last key is used from now on.
void note_current(store::Store& store, const core::Keyring& keyring, core::Instant now);

struct Rekeyed {
    std::size_t accounts = 0, services = 0, refresh_tokens = 0;
    std::size_t unreadable =
        0; // encrypted with a key that is not there, or changed or moved by somebody; left alone
    std::size_t found = 0; // all rows that the walk met: none when there is nothing left to do
};

// One walk over everything, in small transactions, to move it to the keyring's last key. Can be
// stopped anywhere.
// in: after_batch  is told how far it is; what it throws stops the walk
Rekeyed rekey(
    store::Store& store, sys::Random& random, const core::Keyring& keyring, core::Span grace,
    core::Instant now, const std::function<void(const Rekeyed&)>& after_batch);

// Ends a key that no row needs.
// fail: throws std::runtime_error: there is no such key, or what needs it and until when
void retire_key(
    store::Store& store, const core::Keyring& keyring, const core::KeyId& key, core::Span grace,
    core::Instant now);

} // namespace consentgate::usecase
