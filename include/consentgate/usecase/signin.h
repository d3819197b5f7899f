// Signing in at an identity provider: a person is sent there, comes back, and goes on.
// spec: OpenID Connect Core 3.1; docs/http_signin.md
#pragma once

#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

// in:  cookie  digest of the browser's secret for it
// out: absent when it does not stand now
std::optional<core::SignedIn> find_signed_in(
    Dependencies& deps, const core::Digest& cookie, core::Instant now);

} // namespace consentgate::usecase
