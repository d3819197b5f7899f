// Time as the rules see it. Whole seconds, UTC. Nothing in core asks what time it is: a request
// carries one Instant from the moment it was read, so two checks of one request cannot disagree.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace consentgate::core {

using Instant = std::chrono::sys_seconds;
using Span = std::chrono::seconds;

// Seconds since the epoch, the form in which instants are stored.
inline std::int64_t epoch(Instant at) { return at.time_since_epoch().count(); }
inline Instant from_epoch(std::int64_t seconds) { return Instant{Span{seconds}}; }

// Reads a Date or Expires header in the one form that may still be sent, "Sun, 06 Nov 1994 08:49:37
// GMT"; absent when it is none.
// spec: RFC 9110 section 5.6.7
std::optional<Instant> parse_http_date(std::string_view text);

} // namespace consentgate::core
