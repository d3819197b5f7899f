// How often an address may do a thing in a minute, counted over all workers. The counters live in
// memory that the master makes before it forks; nothing else is shared. spec: requirement R17
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

    // Counts one use. in: most  uses a minute, 0 for no limit. out: seconds to wait, 0 when it is
    // allowed Two addresses can fall into one counter, which makes the limit stricter, never
    // looser.
    int admit(std::string_view what, std::string_view address, int limit, core::Instant now);

private:
    struct Counters;
    Counters* counters_;
    std::uint64_t
        seed_; // so that nobody can choose an address that shares a counter with a victim's
};

} // namespace consentgate::sys
