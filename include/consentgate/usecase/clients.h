// Registering clients. law: RFC 7591
#pragma once

#include "consentgate/usecase/world.h"

#include <string_view>

namespace consentgate::usecase {

// A client registers itself. fail: not_found when registration is switched off; invalid_redirect_uri, invalid_client_metadata
core::Result<core::Client> register_client(World& world, std::string_view body, core::Instant now);

// An operator registers a client, by the same rules.
// fail: invalid_redirect_uri, invalid_client_metadata
core::Result<core::Client> add_client(World& world, const std::string& name, const std::vector<std::string>& redirect_uris, core::Instant now);

} // namespace consentgate::usecase
