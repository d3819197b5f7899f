// Leaving a service alone that does not answer, so that the workers that would wait for it serve
// others. After five requests in a row that ran out of time, of at least two accounts, it rests for
// 30 seconds; then one request tries it, and decides whether it is asked again or rests twice as
// long, up to ten minutes. Fresh tokens are handed out meanwhile.
// spec: docs/services.md Refreshing
#pragma once

#include "consentgate/core/base/time.h"

#include <cstdint>
#include <optional>

namespace consentgate::core {

// Shared by the processes of a program, so it holds plain numbers only.
struct ServiceRest {
    std::int32_t timeouts = 0; // in a row
    std::uint64_t first = 0;   // a mark of the account whose request began the row
    bool several = false;      // other accounts are in the row too
    std::int32_t rests = 0;    // one after another; 0: the service is asked as usual
    Instant until{};           // it rests, or the request that tries it may take, so long

    bool is_awake() const { return rests == 0; }
};

// How long nobody may ask; absent: it may be asked. A rest that is further ahead than any can be
// was begun before the clock was set back, and is over.
std::optional<Span> rest_of(const ServiceRest& state, Instant now);

// The rest is over, and one request tries the service. in: time  that it takes at most
ServiceRest begin_trial(ServiceRest state, Instant now, Span time);

// A request came to its end in time, well or ill: what fails at once holds nobody.
ServiceRest after_answer(ServiceRest state);

// A request ran out of time.
// in: account  a mark of the account that it was for
//     trial    it is the one that tries whether the rest may end
ServiceRest after_timeout(ServiceRest state, std::uint64_t account, bool trial, Instant now);

} // namespace consentgate::core
