// Our client proves itself to a provider by a private key, which the provider never sees.
// spec: RFC 7523 section 3; OpenID Connect Core 9; docs/requirements_signin.md SI4
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/upstream/upstream.h"

#include <string>

namespace consentgate::core {

// A private key in PEM: RSA of 2048 bits or more, or EC of P-256. fail: the message is for the
// operator
Checked check_client_key(const Secret& pem);

// Adds the proof to a request that names the client alone.
// in: audience  the token endpoint; id  fresh
// fail: server_error: the key cannot be used
Checked prove_by_key(
    ServiceRequest& request, const Secret& pem, const std::string& client,
    const std::string& audience, const std::string& id, Instant now);

} // namespace consentgate::core
