// A provider says that somebody signed out there, or has to.
// spec: OpenID Connect Back-Channel Logout 1.0; docs/requirements_signin.md SI60, SI61
#pragma once

#include "consentgate/core/signin/person.h"
#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <optional>
#include <string>

namespace consentgate::usecase {

struct ReceivedLogout {
    bool used_before = false;               // then nothing ended now
    std::optional<core::PersonId> person{}; // whom the token names; absent: it names a sign-in
    std::size_t signins = 0, sessions = 0;  // that ended
};

// Ends what the operator wants to end with a sign-out there. Services of accounts that are a
// session's alone are asked to revoke by an idle worker.
// in:   at  the provider whose own address the token came to
// fail: not_found; invalid_request: the token is not believed; service_unavailable: its key is not
//       known, and the provider does not answer
core::Result<ReceivedLogout> receive_logout(
    Dependencies& deps, const core::IdpId& at, const std::string& token, core::Instant now);

} // namespace consentgate::usecase
