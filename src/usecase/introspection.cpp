#include "consentgate/usecase/introspection.h"

#include "consentgate/core/access/shared_facts.h"
#include "consentgate/usecase/access.h"

namespace consentgate::usecase {

core::Result<std::string> introspect_token(
    Dependencies& deps, const core::SentCredentials& sent, const core::NamedToken& named,
    core::Instant now) {
    if (!named.not_repeated) return named.not_repeated.error();
    const auto credentials = core::read_client_credentials(sent);
    if (!credentials) return credentials.error();
    const auto& token = named.token.value;
    const auto hash = core::sha256(token.value_or(""));
    const auto lookup = deps.store.resource_servers.find_with_session(
        core::ResourceServerId(credentials->id), hash);
    if (auto valid = core::check_resource_server(*credentials, lookup.server.get()); !valid)
        return valid.error();
    if (!token)
        return core::make_error(
            core::ErrorCode::invalid_request, core::PublicMessage{"token is missing"},
            core::LogDetail{}, "token");
    const auto& resource = lookup.server->resource;
    const auto authorized = authorize_view(deps, lookup.view, resource, now);
    if (!authorized) count_refusal(deps, authorized.error(), "introspection");
    if (!authorized) return core::introspection_response(nullptr, hash, resource, deps.policy, now);
    deps.note_use(authorized->view->session, "", now);
    const auto& [view, rights] = *authorized;
    std::optional<core::PersonFacts> person;
    if (rights.person)
        person = core::shared_facts(*rights.person, lookup.server->facts.groups, *rights.rules);
    return core::introspection_response(
        view.get(), hash, resource, deps.policy, now, person ? &*person : nullptr);
}

TokenReport inspect_token(Dependencies& deps, const core::Secret& token, core::Instant now) {
    const auto view = deps.store.sessions.find_shared(core::sha256(token));
    const auto resource = view ? view->session.resource : std::string();
    const auto authorized = authorize_view(deps, view, resource, now);
    if (authorized) return {core::Nothing{}, *authorized->view};
    return {authorized.error(), view ? std::optional(*view) : std::nullopt};
}

} // namespace consentgate::usecase
