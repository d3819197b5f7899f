#include "consentgate/usecase/introspection.h"

namespace consentgate::usecase {

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

TokenReport inspect_token(Dependencies& deps, const core::Secret& token, core::Instant now) {
    auto view = deps.store.find_session(core::sha256(token));
    auto valid = core::check_access(view, view ? view->session.resource : std::string(), now);
    return {std::move(valid), std::move(view)};
}

} // namespace consentgate::usecase
