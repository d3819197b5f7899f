// Refreshing the tokens of linked accounts before anybody waits for them.
// spec: docs/requirements_from_use.md XC3
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>

namespace consentgate::usecase {

// One bounded turn over the accounts that were used lately and whose tokens end soon: some
// accounts, some seconds, and no second request to a service that is slow or fails. The lease of
// each account makes sure that one worker of all machines refreshes it.
// out: how many were refreshed
std::size_t refresh_ahead_of_need(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
