// Requests to an identity provider. Private to this module.
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// The operator named the provider, and the provider its endpoints: on whatever host, but no nearer
// to this machine than it is itself. Never throws; a provider that does not answer is one of the
// responses.
sys::HttpResponse ask_idp(
    Dependencies& deps, const core::IdentityProvider& idp, sys::HttpRequest request);

// Sends a request of our client, with the proof by its key where it has one.
// in:   secret  of client_secret_of()
// fail: server_error: the key cannot be used
core::Result<sys::HttpResponse> ask_token_endpoint(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Secret& secret,
    core::ServiceRequest request, core::Instant now);

// Our secret there, or our private key; empty when we have none.
// fail: server_error: the key file cannot decrypt it
core::Result<core::Secret> client_secret_of(Dependencies& deps, const core::IdentityProvider& idp);

// Takes over the provider's keys, for as long as its answer says, and for five minutes at least.
// in: answer  of its jwks_uri, which was read
struct KeptKeys {
    std::string jwks;
    core::Instant expires_at;
};
KeptKeys kept_keys(const sys::HttpResponse& answer, core::Instant now);

} // namespace consentgate::usecase
