#include "consentgate/usecase/access.h"

namespace consentgate::usecase {

core::Result<core::SessionView> check_access(World& world, const core::Secret& token, const std::string& resource, core::Instant now) {
    auto view = world.store.find_session(core::sha256(token));
    if (auto judged = core::judge_access(view, resource, now); !judged) return judged.error();
    return std::move(*view);
}

} // namespace consentgate::usecase
