#include "consentgate/usecase/access.h"

namespace consentgate::usecase {

core::Result<Authorized> authorize_view(
    Dependencies& deps, std::optional<core::SessionView> view, const std::string& resource,
    core::Instant now) {
    if (auto valid = core::check_access(view, resource, deps.policy, now); !valid)
        return valid.error();
    auto rights = rights_of(deps, view->session.identity, view->standing);
    if (auto may = rights.check_resource(resource); !may) return may.error();
    view->session.scope = rights.permitted_scope(resource, view->session.scope, deps.policy);
    return Authorized{std::move(*view), std::move(rights)};
}

core::Result<Authorized> authorize_access(
    Dependencies& deps, const core::Secret& token, const std::string& resource, core::Instant now) {
    return authorize_view(deps, deps.store.sessions.find(core::sha256(token)), resource, now);
}

} // namespace consentgate::usecase
