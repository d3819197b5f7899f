// The key file: the server's own keys, outside the database. Its lines are `id base64url(32
// bytes)`, oldest first; the last key encrypts new rows. Lines starting with # are comments. Only
// the owner may read the file (mode 0600 or less).
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/sys/random.h"

#include <string>

namespace consentgate::sys {

// fail: throws std::runtime_error that names the file and what is wrong with it
core::Keyring read_key_file(const std::string& path);

// Creates the file with one new key when there is none, mode 0600, complete or not at all.
// out: whether it was created
bool create_key_file(const std::string& path, Random& random);

// Each of these replaces the file in one step, so that a concurrent reader sees the old file or the
// new one, never a part; mode, owner and comments stay. Concurrent changes wait for each other.
// fail: throws std::runtime_error, and the file is unchanged
// Inserts a new key before the last: known to readers, but not used yet.
core::KeyId add_key(const std::string& path, Random& random);
// Moves the key to the end, so that it becomes the one in use.
void use_key(const std::string& path, const core::KeyId& key);
// Removes any key but the last; does nothing when it is not there.
void remove_key(const std::string& path, const core::KeyId& key);

// Reads the whole of a file that holds a secret.
// fail: throws std::runtime_error when it is missing, or when other users may read it
core::Secret read_secret_file(const std::string& path);

} // namespace consentgate::sys
