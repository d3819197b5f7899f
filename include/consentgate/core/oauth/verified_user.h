// The person whom the web server has signed in: which names are good, and whether they are still
// the one who asks.
// spec: docs/http.md Consent
#pragma once

#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/oauth/policy.h"

#include <optional>
#include <string>

namespace consentgate::core {

// The person who sends the request, as far as the web server proved it.
// in:   remote_user  what the web server handed on as REMOTE_USER; absent when it handed on nothing
// out:  absent when verified users are off; what was handed on is then not looked at
// fail: verified_user_missing: absent or empty; invalid_verified_user: no name as user ids have
//       them; it is refused and not corrected, because two names must not become one
Result<std::optional<Identity>> verified_principal(
    const std::optional<std::string>& remote_user, const Policy& policy);

// Only the person who began a flow or session may go on with it. Without a verified user, no flow
// and no session of a verified user can go on; with one, only those of the same user can.
bool belongs_to(const Identity& whose, const std::optional<Identity>& principal);

// The person whom a request comes from, as far as it is proven.
struct ProvenUser {
    std::optional<std::string> remote_user{}; // handed on by the web server
    std::optional<Identity> signed_in{};      // at an identity provider, in this browser
};

// Both in one. A flow or session of a person of an identity provider needs that person's sign-in in
// this browser; those of others do not ask who is signed in.
// fail: as verified_principal; another_user
// spec: docs/requirements_signin.md SI28
Checked check_principal(const Identity& whose, const ProvenUser& proven_user, const Policy& policy);

// Whether a person may type who they are. fail: invalid_request when the web server says it
Checked check_typing_allowed(const Policy& policy);

} // namespace consentgate::core
