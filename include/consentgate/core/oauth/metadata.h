// The well-known documents as text. They depend on the configuration only, so they are made once,
// at start.
#pragma once

#include "consentgate/core/oauth/policy.h"

#include <string>

namespace consentgate::core {

// Published addresses: paths below the origin, which the documents below name and clients compare.
// Addresses of pages and forms are web's. spec: docs/http.md Addresses
namespace endpoint {
inline constexpr const char* resource_metadata = "/.well-known/oauth-protected-resource";
inline constexpr const char* server_metadata = "/.well-known/oauth-authorization-server";
inline constexpr const char* register_client = "/api/oauth/per-user/register";
inline constexpr const char* authorize = "/api/oauth/per-user/authorize";
inline constexpr const char* token = "/api/oauth/per-user/token";
inline constexpr const char* revoke = "/api/oauth/per-user/revoke";
inline constexpr const char* introspect = "/api/oauth/per-user/introspect";
inline constexpr const char* callback = "/api/oauth/callback";
inline constexpr const char* key_page = "/oauth/consent/key";
inline constexpr const char* client_metadata = "/oauth/client-metadata.json";
inline constexpr const char* client_metadata_below = "/oauth/client-metadata"; // "/ID.json"
inline constexpr const char* key_set = "/oauth/jwks.json";
} // namespace endpoint

// Only what is there is advertised.
// spec: RFC 8414 section 2; RFC 9728 section 4; docs/requirements.md D12-D25, N2
std::string authorization_server_metadata(const Policy& policy);

// spec: RFC 9728 section 2; docs/requirements.md D1-D8, N1
std::string protected_resource_metadata(const Policy& policy, const GuardedResource& resource);

// Where a resource's document is: the well-known path inserted between its host and its path. spec:
// RFC 9728 section 3.1
std::string resource_metadata_url(const std::string& resource);

} // namespace consentgate::core
