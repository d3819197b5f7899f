// A worker asks a provider with this about a person who is not there.
// spec: OpenID Connect Core 12; docs/requirements_signin.md SI58
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/time.h"

#include <optional>
#include <string>

namespace consentgate::core {

// The refresh token of a person's last sign-in.
struct ProviderGrant {
    PersonId person;
    std::string refresh_token{}; // ciphertext
    KeyId key_id;
    std::optional<Instant> lease_until{}; // while a worker asks with it

    std::string refresh_token_aad() const { return "provider_grant:" + person.text; }
};

} // namespace consentgate::core
