// Resource servers: the guarded MCP servers that may introspect and exchange tokens, and are known
// by a secret of their own.
#pragma once

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/usecase/dependencies.h"

#include <string>
#include <vector>

namespace consentgate::usecase {

struct NewResourceServer {
    core::ResourceServer server;
    core::Secret clear; // shown once, stored never
};

// in:   resource  with the scopes that every request to it needs
//       services  whose tokens the server may exchange for its callers; the gate hands on the
//                 token of a single one
// fail: invalid_target: no address of a resource, an unknown scope, or an unknown service
core::Result<NewResourceServer> add_resource_server(
    store::Store& store, sys::Random& random, const core::Policy& policy,
    const core::GuardedResource& resource, std::vector<std::string> services, core::Instant now);
core::Result<NewResourceServer> add_resource_server(
    Dependencies& deps, const core::GuardedResource& resource, std::vector<std::string> services,
    core::Instant now);

std::vector<core::ResourceServer> list_resource_servers(Dependencies& deps); // newest first

// The server is refused from now on; its scopes and services no longer count after a reload.
// fail: not_found: there is no such resource server, or it is disabled already
core::Checked disable_resource_server(Dependencies& deps, const core::ResourceServerId& id);

// The guarded resources: the configured ones, with scopes and service of their newest active
// server, then those of other servers.
std::vector<core::GuardedResource> guarded_resources(
    store::Store& store, const std::vector<core::GuardedResource>& configured);

} // namespace consentgate::usecase
