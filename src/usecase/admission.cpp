#include "consentgate/usecase/admission.h"

namespace consentgate::usecase {

using core::IdentityKind;

core::Admission who_can_come_in(Dependencies& deps, core::Instant now) {
    return core::who_can_come_in(
        deps.policy, deps.store.virtual_keys.count_usable(now), deps.store.idps.count_active());
}

bool is_entrance_closed(Dependencies& deps, core::Instant now) {
    const auto& policy = deps.policy;
    if (core::is_offered(IdentityKind::skipped, policy) ||
        core::is_offered(IdentityKind::user_id, policy))
        return false;
    return !core::is_offered(IdentityKind::virtual_key, policy) ||
           !deps.store.virtual_keys.has_usable(now);
}

std::vector<core::SessionCount> count_shut_out(Dependencies& deps, core::Instant now) {
    auto counts = deps.store.sessions.count_by_identity(now);
    std::erase_if(
        counts, [&](const auto& count) { return deps.policy.identities.contains(count.kind); });
    return counts;
}

} // namespace consentgate::usecase
