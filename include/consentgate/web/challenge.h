// The words of a refusal at a resource: its status, and where and for what to sign in.
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/scope.h"

#include <string>

namespace consentgate::web {

// The value of WWW-Authenticate that tells a client where to sign in, and for which scopes.
// spec: RFC 6750 section 3; RFC 9728 section 5.1; docs/requirements.md C1-C6, C12
// in:   error  null: no credentials came, and a challenge for them names no error
std::string bearer_challenge(
    const std::string& resource, const core::ScopeSet& scope, const core::Error* error);

// The status for a refused request: 401 whenever a new sign-in would help, whatever was missing.
int gate_status(const core::Error& error);

} // namespace consentgate::web
