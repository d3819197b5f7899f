// The rules of the authorization request. spec: OAuth 2.1 section 4.1.1; RFC 7636; RFC 8707;
// requirements A3-A30
#pragma once

#include "consentgate/core/base/parameter.h"
#include "consentgate/core/oauth/flow.h"

#include <optional>

namespace consentgate::core {

// The parameters as they arrived; nothing of them is checked.
struct AuthorizationRequest {
    Parameter client_id, redirect_uri, state, response_type, response_mode;
    Parameter code_challenge, code_challenge_method, scope, resource, prompt, max_age;
    Parameter request, request_uri;   // of RFC 9101, which are refused
    Checked not_repeated = Nothing{}; // of those that count but `resource`
};

// The client_id, sent once. fail: invalid_client, without permission to redirect
Result<ClientId> authorize_client_id(const AuthorizationRequest& request);

// A request that names none of several resources gives a flow without one: the person chooses.
// in:   client   as found under that id; absent when there is none
//       fresh    the id of the flow to be
//       browser  digest of the browser's secret
// out:  the flow to store
// fail: invalid_client, invalid_redirect_uri without permission to redirect; from then on with a
//       ReturnPath:
//       invalid_request, unsupported_response_type, invalid_scope, invalid_target, login_required
Result<Flow> validate_authorization_request(
    const AuthorizationRequest& request, const std::optional<Client>& client, const Policy& policy,
    FlowId fresh, Digest browser, Instant now);

// The address was cut or broken when somebody copied it: it lacks a parameter that every app sends,
// or has a blank or line end in one that has none. Says nothing about a right request.
// in:   sent  refused already
// spec: docs/requirements.md XE7
bool looks_cut(const AuthorizationRequest& sent);
// The same of the one redirect URI that did not match.
bool looks_cut(const RedirectMismatch& mismatch);

// The flow with the resource that the person chose, and with the scopes that the client gets there,
// as if it had named that resource.
// in:   named  as the page has it
// fail: invalid_request: the client named the resource; resource_required: nothing was chosen;
//       invalid_target; invalid_scope
// spec: docs/requirements.md XE5
Result<Flow> choose_resource(
    Flow flow, const std::optional<std::string>& named, const Client& client, const Policy& policy);

} // namespace consentgate::core
