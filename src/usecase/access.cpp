#include "consentgate/usecase/access.h"

namespace consentgate::usecase {

core::Result<core::SessionView> authorize_access(
    Dependencies& deps, const core::Secret& token, const std::string& resource, core::Instant now) {
    auto view = deps.store.sessions.find(core::sha256(token));
    if (auto valid = core::check_access(view, resource, deps.policy, now); !valid)
        return valid.error();
    return std::move(*view);
}

} // namespace consentgate::usecase
