#include "consentgate/usecase/admission.h"

namespace consentgate::usecase {

using core::IdentityKind;

core::Admission who_can_come_in(
    store::Store& store, const core::Policy& policy, core::Instant now) {
    return core::who_can_come_in(policy, store.virtual_keys.count_usable(now));
}

bool is_entrance_closed(store::Store& store, const core::Policy& policy, core::Instant now) {
    if (core::is_offered(IdentityKind::skipped, policy) ||
        core::is_offered(IdentityKind::user_id, policy))
        return false;
    return !core::is_offered(IdentityKind::virtual_key, policy) ||
           !store.virtual_keys.has_usable(now);
}

std::vector<core::SessionCount> count_shut_out(
    store::Store& store, const core::Policy& policy, core::Instant now) {
    auto counts = store.sessions.count_by_identity(now);
    std::erase_if(
        counts, [&](const auto& count) { return policy.identities.contains(count.kind); });
    return counts;
}

} // namespace consentgate::usecase
