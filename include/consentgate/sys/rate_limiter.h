// Limits how often an address may do something in a minute, counted over all workers. The counters
// live in memory that the master maps before it forks; the workers share nothing else.
// spec: docs/requirements.md R17
#pragma once

#include "consentgate/core/base/time.h"

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

    // Counts one use. Two addresses can fall into one counter, which makes the limit stricter,
    // never looser.
    // in:  limit  uses a minute; 0: no limit
    // out: seconds to wait; 0 when the use is allowed
    int admit(std::string_view what, std::string_view address, int limit, core::Instant now);

private:
    struct Counters;
    Counters* counters_;
    // Keeps an attacker from choosing an address that shares a counter with a victim's.
    std::uint64_t seed_;
};

} // namespace consentgate::sys
