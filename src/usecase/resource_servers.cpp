#include "consentgate/usecase/resource_servers.h"

#include "not_found.h"

#include "consentgate/core/base/uri.h"

#include <algorithm>
#include <stdexcept>

namespace consentgate::usecase {
namespace {

core::Error refused(std::string message) {
    return core::make_error(
        core::ErrorCode::invalid_target, core::PublicMessage{std::move(message)}, core::LogDetail{},
        "resource");
}

core::Checked check_settings(Dependencies& deps, const core::ResourceServer& server) {
    if (server.scope.within(deps.policy.catalogue()) != server.scope)
        return refused("it names a scope that `scopes` of the configuration does not have");
    if (auto valid = core::check_description(server.description); !valid) return valid.error();
    if (auto valid = core::check_facts(server.facts, !server.services.empty()); !valid)
        return valid.error();
    for (const auto& service : server.services) {
        if (!deps.store.services.find(core::ServiceId(service)))
            return refused("there is no service '" + service + "'");
    }
    return core::Nothing{};
}

// Newest first.
std::vector<core::ResourceServer> active_servers(Dependencies& deps, const std::string& url) {
    auto servers = deps.store.resource_servers.list();
    std::erase_if(servers, [&](const auto& server) {
        return !server.active || !core::same_resource(server.resource, url);
    });
    return servers;
}

core::ResourceServer with_change(core::ResourceServer server, const ResourceChange& change) {
    server.scope = change.scope.value_or(server.scope);
    server.services = change.services.value_or(server.services);
    auto& [name, documentation, policy, tos] = server.description;
    name = change.name.value_or(name);
    documentation = change.documentation.value_or(documentation);
    policy = change.policy.value_or(policy);
    tos = change.tos.value_or(tos);
    server.origins = change.origins.value_or(server.origins);
    server.facts.groups = change.groups.value_or(server.facts.groups);
    server.facts.assertion = change.assertion.value_or(server.facts.assertion);
    return server;
}

// All but what tells one server of a resource from another.
void copy_settings(const core::ResourceServer& from, core::ResourceServer& to) {
    to.scope = from.scope;
    to.services = from.services;
    to.description = from.description;
    to.origins = from.origins;
    to.facts = from.facts;
}

} // namespace

core::Result<NewResourceServer> add_resource_server(
    Dependencies& deps, const core::GuardedResource& resource, std::vector<std::string> services,
    core::Instant now) {
    const auto known = deps.policy.known_resource(resource.url);
    if (const auto valid = core::check_resource_uri(resource.url); !valid)
        return refused(valid.error().message);
    if (find_resource_server(deps, resource.url)) return refused("it is guarded already");
    NewResourceServer made{
        .server =
            {.id = core::ResourceServerId("cgrs_" + deps.random.id(16)),
             .resource = known ? known->url : resource.url,
             .secret = {},
             .active = true,
             .created_at = now,
             .services = std::move(services),
             .scope = resource.scope,
             .description = resource.description,
             .origins = resource.origins,
             .facts = resource.facts},
        .clear = deps.random.secret()};
    if (const auto valid = check_settings(deps, made.server); !valid) return valid.error();
    made.server.secret = core::sha256(made.clear);
    deps.store.resource_servers.put(made.server);
    return made;
}

std::optional<core::ResourceServer> find_resource_server(
    Dependencies& deps, const std::string& url) {
    auto servers = active_servers(deps, url);
    if (servers.empty()) return std::nullopt;
    return std::move(servers.front());
}

core::Result<ChangedResourceServer> change_resource_server(
    Dependencies& deps, const std::string& url, const ResourceChange& change) {
    auto servers = active_servers(deps, url);
    if (servers.empty()) return not_found("there is no active resource server for '" + url + "'");
    const auto before = servers.front();
    const auto wanted = with_change(before, change);
    if (const auto valid = check_settings(deps, wanted); !valid) return valid.error();
    for (auto& server : servers) copy_settings(wanted, server);
    ChangedResourceServer changed{.before = before, .after = {}, .clear = {}};
    if (change.rotate_secret) changed.clear = deps.random.secret();
    if (changed.clear) servers.front().secret = core::sha256(*changed.clear);
    changed.after = servers.front();
    if (deps.store.resource_servers.change(servers) == store::Applied::no)
        return core::make_error(
            core::ErrorCode::store_unavailable,
            core::PublicMessage{"it was disabled meanwhile; nothing was changed"});
    return changed;
}

std::vector<core::GuardedResource> guarded_resources(Dependencies& deps) {
    auto resources = deps.policy.resources;
    for (auto& resource : resources) resource = core::GuardedResource{resource.url};
    std::vector<std::string> seen;
    for (const auto& server : deps.store.resource_servers.list()) { // newest first
        if (!server.active || std::find(seen.begin(), seen.end(), server.resource) != seen.end())
            continue;
        seen.push_back(server.resource);
        const auto same = [&](const core::GuardedResource& one) {
            return core::same_resource(one.url, server.resource);
        };
        auto known = std::find_if(resources.begin(), resources.end(), same);
        if (known == resources.end())
            known = resources.insert(resources.end(), core::GuardedResource{server.resource});
        known->scope = server.scope;
        known->description = server.description;
        known->origins = server.origins;
        known->facts = server.facts;
        known->service = server.services.size() == 1 ? server.services.front() : std::string();
    }
    return resources;
}

core::Checked check_gate_resources(const std::vector<core::GuardedResource>& resources) {
    try {
        core::ResourceMap{resources};
        return core::Nothing{};
    } catch (const std::invalid_argument& error) {
        return refused(error.what());
    }
}

std::vector<core::ResourceServer> list_resource_servers(Dependencies& deps) {
    return deps.store.resource_servers.list();
}

core::Checked disable_resource_server(Dependencies& deps, const core::ResourceServerId& id) {
    if (deps.store.resource_servers.disable(id) == store::Applied::no)
        return not_found("there is no active resource server '" + id.text + "'");
    return core::Nothing{};
}

core::Checked enable_resource_server(Dependencies& deps, const core::ResourceServerId& id) {
    const auto server = deps.store.resource_servers.find(id);
    if (server && !server->active && find_resource_server(deps, server->resource))
        return refused("another resource server guards " + server->resource + " by now");
    if (deps.store.resource_servers.enable(id) == store::Applied::no)
        return not_found("there is no disabled resource server '" + id.text + "'");
    return core::Nothing{};
}

core::Checked remove_resource_server(Dependencies& deps, const core::ResourceServerId& id) {
    if (deps.store.resource_servers.remove(id) == store::Applied::no)
        return not_found("there is no resource server '" + id.text + "'");
    return core::Nothing{};
}

} // namespace consentgate::usecase
