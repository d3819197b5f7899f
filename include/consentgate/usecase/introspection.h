// Token introspection, for resource servers and for the operator. spec: RFC 7662
#pragma once

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/usecase/client_auth.h"
#include "consentgate/usecase/resource_servers.h"

namespace consentgate::usecase {

// out:  the answer's JSON: an active token of the asking server's resource, or that there is none
// fail: invalid_client, invalid_request
core::Result<std::string> introspect_token(
    Dependencies& deps, const core::SentCredentials& sent, const core::NamedToken& named,
    core::Instant now);

// A token as the operator sees it, whichever resource it is for.
struct TokenReport {
    core::Checked valid;                   // the error's `reason` says why it is not
    std::optional<core::SessionView> view; // absent: the token is unknown
};
TokenReport inspect_token(Dependencies& deps, const core::Secret& token, core::Instant now);

} // namespace consentgate::usecase
