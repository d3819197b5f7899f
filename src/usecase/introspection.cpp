#include "consentgate/usecase/introspection.h"

#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

// Of one address the newest counts; so a second one within the same second is dated after the
// first.
core::Instant after_all_others(store::Store& store, core::Instant now) {
    const auto others = store.list_resource_servers(); // newest first
    return others.empty() ? now : std::max(now, others.front().created_at + core::Span(1));
}

} // namespace

core::Result<std::string> introspect_token(
    Dependencies& deps, const ClientRequest& client_request, core::Instant now) {
    if (auto repeated = client_request.form.check_not_repeated(); !repeated)
        return repeated.error();
    const auto credentials =
        core::read_client_credentials(client_request.form, client_request.authorization);
    if (!credentials) return credentials.error();
    const auto token = client_request.form.get("token");
    const auto hash = core::sha256(token.value_or(""));
    const auto lookup =
        deps.store.find_introspection_lookup(core::ResourceServerId(credentials->id), hash);
    if (auto valid = core::check_resource_server(*credentials, lookup.server); !valid)
        return valid.error();
    if (!token)
        return core::make_error(
            core::ErrorCode::invalid_request, core::PublicMessage{"token is missing"},
            core::LogDetail{}, "token");
    return core::introspection_response(
        lookup.view, hash, lookup.server->resource, deps.policy, now);
}

core::Result<NewResourceServer> add_resource_server(
    store::Store& store, sys::Random& random, const core::Policy& policy,
    const core::GuardedResource& resource, std::vector<std::string> services, core::Instant now) {
    const auto no = [](std::string message) {
        return core::make_error(
            core::ErrorCode::invalid_target, core::PublicMessage{std::move(message)},
            core::LogDetail{}, "resource");
    };
    const auto known = policy.known_resource(resource.url);
    if (const auto reason = core::resource_uri_problem(resource.url)) return no(*reason);
    if (resource.scope.within(policy.catalogue()) != resource.scope)
        return no("it names a scope that `scopes` of the configuration does not have");
    for (const auto& service : services) {
        if (!store.find_service(core::ServiceId(service)))
            return no("there is no service '" + service + "'; see consentgate-admin service list");
    }
    NewResourceServer made{
        {core::ResourceServerId("cgrs_" + random.id(16)),
         known ? known->url : resource.url,
         {},
         true,
         after_all_others(store, now),
         std::move(services),
         resource.scope},
        random.secret()};
    made.server.secret = core::sha256(made.clear);
    store.put_resource_server(made.server);
    return made;
}

std::vector<core::GuardedResource> guarded_resources(
    store::Store& store, const std::vector<core::GuardedResource>& configured) {
    auto resources = configured;
    for (auto& resource : resources) resource.scope = {}, resource.service.clear();
    std::vector<std::string> seen;
    for (const auto& server : store.list_resource_servers()) { // newest first
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

} // namespace consentgate::usecase
