// Resource servers, and what they are told about tokens. spec: RFC 7662
#pragma once

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/usecase/client_auth.h"

namespace consentgate::usecase {

// out:  the answer's JSON: an active token of the asking server's resource, or that there is none
// fail: invalid_client, invalid_request
core::Result<std::string> introspect_token(
    Dependencies& deps, const ClientRequest& client_request, core::Instant now);

struct NewResourceServer {
    core::ResourceServer server;
    core::Secret clear; // shown once, stored never
};

// in:   resource  with the scopes that requests to it take; services  whose tokens it may fetch for
//       its callers, and is handed by
//                 the gate when it is one
// fail: invalid_target: no address of a resource, an unknown scope, or a service that is not there
core::Result<NewResourceServer> add_resource_server(
    store::Store& store, sys::Random& random, const core::Policy& policy,
    const core::GuardedResource& resource, std::vector<std::string> services, core::Instant now);

// What is guarded: the configured resources, with what their newest active server was added with,
// and those of other servers.
std::vector<core::GuardedResource> guarded_resources(
    store::Store& store, const std::vector<core::GuardedResource>& configured);

} // namespace consentgate::usecase
