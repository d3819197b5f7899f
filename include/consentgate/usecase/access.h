// Validates an access token for a resource. spec: RFC 6750; docs/requirements_signin.md SI65
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/usecase/rights.h"

#include <memory>

namespace consentgate::usecase {

// A token that may be used, and what rules let its person do.
struct Authorized {
    // With the scopes that rules leave of the token's; never null.
    std::shared_ptr<const core::SessionView> view;
    Rights rights;
};

// fail: invalid_bearer; access_refused
core::Result<Authorized> authorize_access(
    Dependencies& deps, const core::Secret& token, const std::string& resource, core::Instant now);
// The same for a token that a statement has found.
// in:   view  null: it found none
// fail: as authorize_access
core::Result<Authorized> authorize_view(
    Dependencies& deps, std::shared_ptr<const core::SessionView> view, const std::string& resource,
    core::Instant now);

} // namespace consentgate::usecase
