#include "consentgate/usecase/signin.h"

namespace consentgate::usecase {

std::optional<core::SignedIn> find_signed_in(
    Dependencies& deps, const core::Digest& cookie, core::Instant now) {
    auto found = deps.store.signins.find(cookie);
    if (!found || !core::stands(*found, now)) return std::nullopt;
    return found;
}

} // namespace consentgate::usecase
