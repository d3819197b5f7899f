// Encryption of what must be handed out again: upstream tokens, client secrets at services, PKCE
// verifiers. AES-256-GCM under a key made from a server key. spec: docs/http.md Secrets
//
// A ciphertext is bound to its place (table, row, column): moved to another row it does not open,
// so that whoever can write to the database alone cannot hand one person's token to another.
#pragma once

#include "consentgate/core/base/keyring.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

inline constexpr std::size_t nonce_bytes = 12;

// The place to which a ciphertext is bound.
std::string associated_data(std::string_view table, std::string_view row, std::string_view column);

// nonce, ciphertext and tag as raw bytes.
// in:   key    one of the keyring; nonce  12 random bytes, never used with this key before
// fail: throws std::logic_error when the keyring lacks the key or the nonce has another length
std::string seal(
    const Keyring& keyring, const KeyId& key, std::string_view nonce, const std::string& place,
    const Secret& clear);

// Absent when the key is not in the key file, the bytes were changed, or they belong to another
// place.
std::optional<Secret> unseal(
    const Keyring& keyring, const KeyId& key, std::string_view sealed, const std::string& place);

} // namespace consentgate::core
