// The person whom the web server has signed in: which names are good, and whether they are still
// the one who asks.
// spec: contract section 4
#pragma once

#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/oauth/policy.h"

#include <optional>
#include <string>

namespace consentgate::core {

// Who is asking, as far as the web server proved it.
// in:   remote_user  what the web server handed on as REMOTE_USER; absent when it handed on nothing
// out:  absent when verified users are off; what was handed on is then not looked at
// fail: verified_user_missing: absent or empty; invalid_verified_user: no name as user ids have
//       them, which is refused and not mended,
//       because two names must not become one
Result<std::optional<Identity>> verified_principal(
    const std::optional<std::string>& remote_user, const Policy& policy);

// Whose flow or session it is, is who may go on with it. What a verified user began is theirs
// alone, and nobody's while verified users are off; while they are on, what somebody else began, or
// nobody who was verified, is not for them.
bool belongs_to(const Identity& whose, const std::optional<Identity>& principal);

// Both in one. fail: as verified_principal; another_user
Checked check_principal(
    const Identity& whose, const std::optional<std::string>& remote_user, const Policy& policy);

// Whether a person may type who they are. fail: invalid_request when the web server says it
Checked check_typing_allowed(const Policy& policy);

} // namespace consentgate::core
