// Signing in on trial: an operator's link, where somebody signs in once and sees what the provider
// says of them. Nothing comes of it: no person, no sign-in, no session.
// spec: docs/requirements_signin.md SI9
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"

#include <optional>
#include <string>

namespace consentgate::core {

inline constexpr Span signin_trial_lifetime{10 * 60};

struct SigninTrial {
    Digest link;
    IdpId idp;
    std::optional<Instant> opened_at{}; // the link is good once
    std::string report{};               // ciphertext; empty: nobody has come back yet
    KeyId key_id;
    Instant expires_at{};

    std::string report_aad() const { return "signin_trial:" + link.hex; }
};

} // namespace consentgate::core
