// Asks the database who can come in. spec: docs/requirements.md XA1, XA2
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/usecase/dependencies.h"

#include <vector>

namespace consentgate::usecase {

core::Admission who_can_come_in(Dependencies& deps, core::Instant now);

// Page 1 offers nothing that could let a person in: no way, or a key alone while no key is good.
bool is_entrance_closed(Dependencies& deps, core::Instant now);

// The living sessions whose identities the configuration does not let in. They are refused
// everywhere and have not ended.
std::vector<core::SessionCount> count_shut_out(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
