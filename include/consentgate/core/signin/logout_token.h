// The logout token: a provider's word that a person, or one of their sign-ins, is over.
// spec: OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6; docs/requirements_signin.md
// SI60
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/signin/provider_keys.h"

#include <string>

namespace consentgate::core {

struct IdentityProvider;

struct LogoutToken {
    std::string issuer;
    std::string subject, sid; // one of them may be empty
    Digest use;               // of its jti at this issuer: a token has its effect once
    Instant issued_at{};
    Instant forget_after{}; // from then on the rules refuse it without the help of `use`
};

// fail: invalid_request: it is not believed; the reason is for the log, and `param`
//       names the wrong member
Result<LogoutToken> validate_logout_token(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    Instant now);

} // namespace consentgate::core
