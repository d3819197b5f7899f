#include "consentgate/usecase/introspection.h"

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
    if (auto valid = core::check_resource_server(*credentials, lookup.server); !valid)
        return valid.error();
    if (!token)
        return core::make_error(
            core::ErrorCode::invalid_request, core::PublicMessage{"token is missing"},
            core::LogDetail{}, "token");
    if (core::check_access(lookup.view, lookup.server->resource, deps.policy, now))
        deps.note_use(lookup.view->session.id, "", now);
    return core::introspection_response(
        lookup.view, hash, lookup.server->resource, deps.policy, now);
}

TokenReport inspect_token(Dependencies& deps, const core::Secret& token, core::Instant now) {
    auto view = deps.store.sessions.find(core::sha256(token));
    auto valid =
        core::check_access(view, view ? view->session.resource : std::string(), deps.policy, now);
    return {std::move(valid), std::move(view)};
}

} // namespace consentgate::usecase
