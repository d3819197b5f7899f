#include "consentgate/core/upstream/account_standing.h"

#include "consentgate/core/upstream/account_doubt.h"
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
    if (!account) return Standing::not_connected;
    switch (state_of(*account, now)) {
    case AccountState::ended: return Standing::not_connected;
    case AccountState::needs_person: return Standing::needs_person;
    case AccountState::connected:
    case AccountState::refreshing:
    case AccountState::resting: break;
    }
    // One that is over and was not tried yet is refreshed by the next call.
    const bool over = freshness_of(*account, now) == Freshness::over;
    const bool fails = over && (rests || account->failures > 0);
    return fails || braked_until(*account, now) ? Standing::not_answering : Standing::connected;
}

} // namespace consentgate::core
