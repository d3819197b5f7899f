// The keys of an identity provider: kept in its row, and fetched anew when they have expired or do
// not verify what it signed.
// spec: docs/requirements_signin.md SI43
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/provider_keys.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>

namespace consentgate::usecase {

// The keys of the row when they will do, so that nobody is asked. in: token  that it signed
std::optional<core::ProviderKeys> kept_keys_for(
    const core::IdentityProvider& idp, const std::string& token, core::Instant now);

// At most one fetch a minute for each provider on all machines together.
// in:   token  that the provider signed
// out:  the keys that there are; one that signed the token may not be among them
// fail: service_unavailable: there are none that can be used, or the one that the token needs
//       did not come
core::Result<core::ProviderKeys> provider_keys_for(
    Dependencies& deps, const core::IdentityProvider& idp, const std::string& token,
    core::Instant now);

} // namespace consentgate::usecase
