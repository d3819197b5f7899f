// Virtual keys, for the operator.
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <string>
#include <vector>

namespace consentgate::usecase {

struct NewVirtualKey {
    core::VirtualKey key;
    core::Secret clear; // shown once, stored never
};

// fail: invalid_request when the name is empty, too long, or has control characters
core::Result<NewVirtualKey> add_virtual_key(
    Dependencies& deps, const std::string& name, std::optional<core::Instant> expires_at,
    std::vector<std::string> services, core::Instant now);

// Gives a key another text. Its holder, its services, its sessions, its accounts and its end
// stay: whoever fears that the old text is in wrong hands ends its sessions, too.
// in:   keep_until  the old text works until then; absent: it is refused from now on, with those
//                   that an earlier rotation let work
// fail: not_found: there is no such key, it is disabled or has expired
core::Result<NewVirtualKey> rotate_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, std::optional<core::Instant> keep_until,
    core::Instant now);

struct VirtualKeyDetails {
    core::VirtualKey key;
    std::optional<core::Instant> old_until; // when the last text from before a rotation ends
    std::vector<core::LinkedAccount> accounts;
    std::size_t sessions = 0; // alive, `most_sessions` at most
};
inline constexpr std::size_t most_sessions = 1000;
VirtualKeyDetails describe_virtual_key(
    Dependencies& deps, const core::VirtualKey& key, core::Instant now);

std::vector<core::VirtualKey> list_virtual_keys(Dependencies& deps); // newest first

// Ends a key for good, with its sessions and the accounts that were linked with it.
// out:  how many linked accounts ended; the server asks their services to revoke them
// fail: not_found: there is no such key, or it is disabled already
core::Result<std::size_t> disable_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, core::Instant now);

} // namespace consentgate::usecase
