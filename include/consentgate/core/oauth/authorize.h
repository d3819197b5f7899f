// The rules of the authorization request. spec: OAuth 2.1 section 4.1.1; RFC 7636; RFC 8707;
// requirements A3-A30
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/core/oauth/flow.h"

#include <optional>

namespace consentgate::core {

// The client_id, sent once. fail: invalid_client, without permission to redirect
Result<ClientId> authorize_client_id(const Form& query);

// in:   client   as found under that id; absent when there is none
//       fresh    the id of the flow to be
//       browser  digest of the browser's secret
// out:  the flow to store
// fail: invalid_client, invalid_redirect_uri without permission to redirect; from then on with a
//       ReturnPath:
//       invalid_request, unsupported_response_type, invalid_scope, invalid_target, login_required
Result<Flow> validate_authorization_request(
    const Form& query, const std::optional<Client>& client, const Policy& policy, FlowId fresh,
    Digest browser, Instant now);

} // namespace consentgate::core
