// Time as the rules see it. Whole seconds, UTC. Nothing in core asks what time it is: a request
// carries one Instant from the moment it was read, so two checks of one request cannot disagree.
#pragma once

#include <chrono>
#include <cstdint>

namespace consentgate::core {

using Instant = std::chrono::sys_seconds;
using Span = std::chrono::seconds;

// Seconds since the epoch, the form in which instants are stored.
inline std::int64_t epoch(Instant at) { return at.time_since_epoch().count(); }
inline Instant from_epoch(std::int64_t seconds) { return Instant{Span{seconds}}; }

} // namespace consentgate::core
