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
    store::Store& store, sys::Random& random, const std::string& name,
    std::optional<core::Instant> expires_at, std::vector<std::string> services, core::Instant now);

} // namespace consentgate::usecase
