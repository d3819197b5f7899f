// The time of day. Asked once per request; everything below takes an Instant.
#pragma once

#include "consentgate/core/time.h"

namespace consentgate::sys {

core::Instant now();

} // namespace consentgate::sys
