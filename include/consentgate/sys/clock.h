// The time of day. Asked once per request; everything below takes an Instant.
#pragma once

#include "consentgate/core/base/time.h"

#include <optional>
#include <string>

namespace consentgate::sys {

core::Instant now();

// What a Date header says, in the one form that may still be sent (RFC 9110 section 5.6.7); absent
// when it is none.
std::optional<core::Instant> from_http_date(const std::string& text);

// Waits. Where another worker is doing what this one wants done, and in no other place.
void pause(std::chrono::milliseconds time);

} // namespace consentgate::sys
