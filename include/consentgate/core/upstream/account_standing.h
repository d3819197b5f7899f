// A linked account as its person sees it. When a token is refreshed, waited for or given up is in
// account_state.h; this says which of four sentences is true of it now.
// spec: docs/services.md Accounts
#pragma once

#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string_view>

namespace consentgate::core {

enum class Standing {
    not_connected,
    connected,     // a call gets its token
    not_answering, // a call gets none just now, because the service does not give one
    needs_person,  // nothing but connecting it again helps
};
std::string_view name_of(Standing standing);

// in: rests  the service is left alone for a while, because it did not answer
Standing standing_of(const std::optional<LinkedAccount>& account, bool rests, Instant now);

} // namespace consentgate::core
