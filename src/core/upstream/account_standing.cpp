#include "consentgate/core/upstream/account_standing.h"

#include "consentgate/core/upstream/account_state.h"

namespace consentgate::core {

std::string_view name_of(Standing standing) {
    switch (standing) {
    case Standing::not_connected: return "not_connected";
    case Standing::connected: return "connected";
    case Standing::not_answering: return "not_answering";
    case Standing::needs_person: return "needs_person";
    }
    return "not_connected";
}

Standing standing_of(const std::optional<LinkedAccount>& account, bool rests, Instant now) {
    if (!account || account->ended_at) return Standing::not_connected;
    switch (freshness_of(*account, now)) {
    case Freshness::broken: return Standing::needs_person;
    case Freshness::over:
        // One that is over and was not tried yet is refreshed by the next call.
        return rests || account->failures > 0 ? Standing::not_answering : Standing::connected;
    case Freshness::fresh:
    case Freshness::due: break;
    }
    return Standing::connected;
}

} // namespace consentgate::core
