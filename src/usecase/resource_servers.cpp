#include "consentgate/usecase/resource_servers.h"

#include "not_found.h"

#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

// The newest server of an address counts, so a second one within the same second is dated after
// the first.
core::Instant after_all_others(store::Store& store, core::Instant now) {
    const auto others = store.resource_servers.list(); // newest first
    return others.empty() ? now : std::max(now, others.front().created_at + core::Span(1));
}

} // namespace

core::Result<NewResourceServer> add_resource_server(
    store::Store& store, sys::Random& random, const core::Policy& policy,
    const core::GuardedResource& resource, std::vector<std::string> services, core::Instant now) {
    const auto no = [](std::string message) {
        return core::make_error(
            core::ErrorCode::invalid_target, core::PublicMessage{std::move(message)},
            core::LogDetail{}, "resource");
    };
    const auto known = policy.known_resource(resource.url);
    if (const auto valid = core::check_resource_uri(resource.url); !valid)
        return no(valid.error().message);
    if (resource.scope.within(policy.catalogue()) != resource.scope)
        return no("it names a scope that `scopes` of the configuration does not have");
    for (const auto& service : services) {
        if (!store.services.find(core::ServiceId(service)))
            return no("there is no service '" + service + "'; see consentgate-admin service list");
    }
    NewResourceServer made{
        .server =
            {.id = core::ResourceServerId("cgrs_" + random.id(16)),
             .resource = known ? known->url : resource.url,
             .secret = {},
             .active = true,
             .created_at = after_all_others(store, now),
             .services = std::move(services),
             .scope = resource.scope},
        .clear = random.secret()};
    made.server.secret = core::sha256(made.clear);
    store.resource_servers.put(made.server);
    return made;
}

std::vector<core::GuardedResource> guarded_resources(
    store::Store& store, const std::vector<core::GuardedResource>& configured) {
    auto resources = configured;
    for (auto& resource : resources) resource.scope = {}, resource.service.clear();
    std::vector<std::string> seen;
    for (const auto& server : store.resource_servers.list()) { // newest first
        if (!server.active || std::find(seen.begin(), seen.end(), server.resource) != seen.end())
            continue;
        seen.push_back(server.resource);
        const auto same = [&](const core::GuardedResource& one) {
            return core::same_resource(one.url, server.resource);
        };
        auto known = std::find_if(resources.begin(), resources.end(), same);
        if (known == resources.end())
            known = resources.insert(resources.end(), {server.resource, {}, {}});
        known->scope = server.scope;
        known->service = server.services.size() == 1 ? server.services.front() : std::string();
    }
    return resources;
}

core::Result<NewResourceServer> add_resource_server(
    Dependencies& deps, const core::GuardedResource& resource, std::vector<std::string> services,
    core::Instant now) {
    return add_resource_server(
        deps.store, deps.random, deps.policy, resource, std::move(services), now);
}

std::vector<core::ResourceServer> list_resource_servers(Dependencies& deps) {
    return deps.store.resource_servers.list();
}

core::Checked disable_resource_server(Dependencies& deps, const core::ResourceServerId& id) {
    if (deps.store.resource_servers.disable(id) == store::Applied::no)
        return not_found("there is no active resource server '" + id.text + "'");
    return core::Nothing{};
}

} // namespace consentgate::usecase
