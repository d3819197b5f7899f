// Resource servers: the guarded MCP servers that may introspect and exchange tokens, and are known
// by a secret of their own.
#pragma once

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

struct NewResourceServer {
    core::ResourceServer server;
    core::Secret clear; // shown once, stored never
};

// in:   resource  its `service` is not read
//       services  whose tokens the server may exchange for its callers; the gate hands on the
//                 token of a single one
// fail: invalid_target: no address of a resource, an unknown scope, an unknown service, a
//       description that check_description refuses, or a resource that is guarded already, which
//       change_resource_server changes
core::Result<NewResourceServer> add_resource_server(
    Dependencies& deps, const core::GuardedResource& resource, std::vector<std::string> services,
    core::Instant now);

// The newest active server of the resource; absent: there is none.
std::optional<core::ResourceServer> find_resource_server(
    Dependencies& deps, const std::string& url);

// A member that is absent changes nothing.
struct ResourceChange {
    std::optional<core::ScopeSet> scope{};
    std::optional<std::vector<std::string>> services{};
    std::optional<std::string> name{}, documentation{}, policy{}, tos{};
    std::optional<core::AllowedOrigins> origins{};
    std::optional<core::SharedGroups> groups{};
    std::optional<core::AssertionPlace> assertion{};
    bool rotate_secret = false; // of the newest server
};

struct ChangedResourceServer {
    core::ResourceServer before, after;
    std::optional<core::Secret> clear; // the new secret: shown once, stored never
};

// Changes the newest active server of the resource. Its older ones, which a database of before has,
// become the same but for their secrets, which would keep what was taken away.
// fail: not_found: nothing guards it; invalid_target: as add_resource_server;
//       store_unavailable: it was disabled meanwhile
core::Result<ChangedResourceServer> change_resource_server(
    Dependencies& deps, const std::string& url, const ResourceChange& change);

std::vector<core::ResourceServer> list_resource_servers(Dependencies& deps); // newest first

// The server is refused from now on; its scopes and services no longer count after a reload.
// fail: not_found: there is no such resource server, or it is disabled already
core::Checked disable_resource_server(Dependencies& deps, const core::ResourceServerId& id);
// Undoes it. fail: not_found: there is no such resource server, or it is active;
//                  invalid_target: another one guards the resource by now
core::Checked enable_resource_server(Dependencies& deps, const core::ResourceServerId& id);
// Forgets it; its sessions end of themselves, or by end_sessions. fail: not_found
core::Checked remove_resource_server(Dependencies& deps, const core::ResourceServerId& id);

// The guarded resources: the configured ones, each with what its newest active server says, then
// those of other servers.
std::vector<core::GuardedResource> guarded_resources(Dependencies& deps);

// Whether a gate can start with these.
// fail: invalid_target: two of them have one path, or a path that programs could read differently
core::Checked check_gate_resources(const std::vector<core::GuardedResource>& resources);

} // namespace consentgate::usecase
