// Limits how often a caller may do something in a minute, counted over all workers. The counters
// live in memory that the master maps before it forks; the workers share nothing else.
// spec: docs/requirements.md R17
#pragma once

#include "consentgate/core/base/time.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace consentgate::sys {

class RateLimiter {
public:
    // Maps the shared counters; make it before the fork. fail: throws std::runtime_error
    RateLimiter();
    ~RateLimiter();
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;

    // Counts one use. Two callers can fall into one counter, which makes the limit stricter, never
    // looser.
    // in:  who    a caller as core::caller_of says, a host, or whatever else is counted apart
    //      limit  uses a minute; 0: no limit
    // out: seconds to wait; 0 when the use is allowed
    int admit(std::string_view what, std::string_view who, int limit, core::Instant now);
    // Takes one admitted use back, of a thing that turned out not to count. A caller that counts
    // only failures is admitted first and forgiven afterwards, so that attempts at the same moment
    // cannot pass the limit together.
    void forgive(std::string_view what, std::string_view who, int limit, core::Instant now);

private:
    struct Counters;
    std::size_t slot_of(std::string_view what, std::string_view who) const;
    Counters* counters_;
    // Keeps an attacker from choosing an address that shares a counter with a victim's.
    std::uint64_t seed_;
};

} // namespace consentgate::sys
