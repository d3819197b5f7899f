// An authorization request becomes a flow. spec: OAuth 2.1 section 4.1.1
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// in:   browser  digest of the browser's secret
//       remote_user  whom the web server says it has signed in: the flow is then theirs from the
//         start
// fail: as validate_authorization_request, verified_principal
core::Result<core::Flow> begin_authorize(
    Dependencies& deps, const core::Form& query, const core::Digest& browser, core::Instant now,
    const std::optional<std::string>& remote_user = std::nullopt);

} // namespace consentgate::usecase
