// The key file: the server's own keys, outside the database. Lines of `id base64url(32 bytes)`,
// oldest first, of which the last is used for what is new; lines starting with # are comments. Only
// its owner may read it (mode 0600 or less).
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/sys/random.h"

#include <string>

namespace consentgate::sys {

// fail: throws std::runtime_error that names the file and what is wrong with it
core::Keyring read_key_file(const std::string& path);

// Makes the file with one new key when there is none, mode 0600, complete or not at all. out:
// whether it was made
bool create_key_file(const std::string& path, Random& random);

// Each changes the file in one step, so that whoever reads it meanwhile reads it whole, as it was
// or as it is; its mode, its owner and its comments stay. Two that change it at once wait for each
// other.
// fail: throws std::runtime_error, and the file is as it was
core::KeyId add_key(
    const std::string& path, Random& random); // a new key before the last: known, but not used yet
void use_key(const std::string& path, const core::KeyId& key); // moves it to the end
void remove_key(
    const std::string& path,
    const core::KeyId& key); // any but the last; nothing when it is not there

// The whole of a file that holds a secret. fail: throws std::runtime_error when it is missing or
// others may read it
core::Secret read_secret_file(const std::string& path);

} // namespace consentgate::sys
