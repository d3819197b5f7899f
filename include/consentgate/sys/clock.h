// The time of day. Asked once per request; everything below takes an Instant.
#pragma once

#include "consentgate/core/time.h"

namespace consentgate::sys {

core::Instant now();

// Waits. Where another worker is doing what this one wants done, and in no other place.
void pause(std::chrono::milliseconds time);

} // namespace consentgate::sys
