#include "consentgate/usecase/access.h"

namespace consentgate::usecase {

core::Result<Authorized> authorize_view(
    Dependencies& deps, std::shared_ptr<const core::SessionView> view, const std::string& resource,
    core::Instant now) {
    if (auto valid = core::check_access(view.get(), resource, deps.policy, now); !valid)
        return valid.error();
    auto rights = rights_of(deps, view->session.identity, view->standing);
    if (auto may = rights.check_resource(resource); !may) return may.error();
    const auto& granted = view->session.scope;
    if (auto left = rights.permitted_scope(resource, granted, deps.policy); left != granted) {
        auto narrowed = std::make_shared<core::SessionView>(*view);
        narrowed->session.scope = std::move(left);
        view = std::move(narrowed);
    }
    return Authorized{std::move(view), std::move(rights)};
}

core::Result<Authorized> authorize_access(
    Dependencies& deps, const core::Secret& token, const std::string& resource, core::Instant now) {
    return authorize_view(
        deps, deps.store.sessions.find_shared(core::sha256(token)), resource, now);
}

} // namespace consentgate::usecase
