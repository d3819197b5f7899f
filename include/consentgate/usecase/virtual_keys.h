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

std::vector<core::VirtualKey> list_virtual_keys(Dependencies& deps); // newest first

// Ends a key for good, with its sessions and the accounts that were linked with it.
// out:  how many linked accounts ended; the server asks their services to revoke them
// fail: not_found: there is no such key, or it is disabled already
core::Result<std::size_t> disable_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, core::Instant now);

} // namespace consentgate::usecase
