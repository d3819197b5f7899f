// Renewing our registrations at services before their secrets end.
// spec: RFC 7592; docs/requirements.md XC8
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>

namespace consentgate::usecase {

// One bounded turn over the registrations that are to be renewed. Where the service lets us manage
// our registration, it gives a new secret for the same client id, and nobody notices. Elsewhere we
// register anew, without a secret where the service offers that by now; the former registration is
// kept for the tokens that were given to it. Moving the time of the next try on, under the version
// that was read, makes sure that one worker of all machines asks.
// out: how many were renewed
std::size_t renew_registrations(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
