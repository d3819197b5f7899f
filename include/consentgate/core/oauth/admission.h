// Decides who may come in. Every door asks this one rule: the pages, the forms, the token endpoint,
// introspection, token exchange, links and the gate.
// spec: docs/requirements.md XA1
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/policy.h"

#include <cstddef>
#include <optional>
#include <string>

namespace consentgate::core {

// A person with this identity may sign in, and their sessions may be used. A session that the rule
// refuses has not ended: it goes on when the operator allows its kind again.
// fail: identity_required: nothing was said, and that is not allowed; identity_not_allowed
Checked check_admitted(const Identity& identity, const Policy& policy);

// Page 1 offers this way to say who one is. Where the web server names people, it offers none.
bool is_offered(IdentityKind kind, const Policy& policy);

// A person may choose this way. fail: invalid_request: the web server says who they are; as
// check_admitted
Checked check_offered(IdentityKind kind, const Policy& policy);

enum class Entrance { anyone, known_people, nobody };

struct Admission {
    Entrance entrance = Entrance::nobody;
    std::string sentence;    // who can come in, for the operator
    std::string next_step{}; // what lets somebody in; empty unless nobody can come in
};

// Says who can come in with the present configuration, in the one sentence of all programs.
// in:   usable_keys  how many virtual keys are good now; absent: the database was not asked
//       providers  how many identity providers people may sign in at
// spec: docs/requirements.md XA2
Admission who_can_come_in(
    const Policy& policy, std::optional<std::size_t> usable_keys, std::size_t providers = 0);

} // namespace consentgate::core
