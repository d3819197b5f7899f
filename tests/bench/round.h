// One round of settlements: so many processes, one database, one second.
#pragma once

#include "settlers.h"

#include <chrono>
#include <string>
#include <vector>

namespace consentgate::bench {

struct RoundResult {
    double per_second = 0;      // transactions that ended within the round
    std::vector<double> waits;  // of every transaction, in milliseconds
};

// Forks the processes, lets them begin together, and collects. Each takes the next settlement of the stock that nobody
// has taken, so a process that is held up keeps nothing from the others.
// fail: throws when a process failed, or when the database does not hold exactly what was settled
RoundResult run_round(Kind kind, int processes, const std::string& database, const std::vector<core::Settlement>& stock,
                      std::chrono::nanoseconds length);

} // namespace consentgate::bench
