// The document in which an identity provider describes itself. Rules only: commands fetch it, and
// a person's request never does. spec: OpenID Connect Discovery 1.0; docs/requirements_signin.md
// SI2, SI3
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/client.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// https, or http on a loopback host; without query, fragment and user name.
// fail: the message is for the operator
Checked check_provider_issuer(const std::string& issuer);

// The issuer without one slash at its end, and the well-known path. An issuer for many tenants is
// asked for those of organisations. spec: OpenID Connect Discovery 4.1
std::string provider_metadata_url(const std::string& issuer);

struct ProviderMetadata {
    std::string issuer, authorization_endpoint, token_endpoint, jwks_uri;
    std::string userinfo_endpoint, end_session_endpoint;  // empty: none
    std::vector<ClientAuth> auth_methods;                 // those that we have too, ours first
    std::vector<std::string> signing_algorithms;          // of ID tokens, those that we verify
    std::vector<std::string> scopes, prompts, acr_values; // as announced
    bool sends_iss = false;                               // RFC 9207
    bool announces_s256 = false;      // false: it is silent about PKCE; without S256 it is refused
    bool sends_logout_tokens = false; // OpenID Connect Back-Channel Logout
};

// in:   issuer  to the character what the document must name
// fail: the message is for the operator
Result<ProviderMetadata> read_provider_metadata(std::string_view body, const std::string& issuer);

} // namespace consentgate::core
