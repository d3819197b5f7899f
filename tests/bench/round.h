// One round of settlements: so many processes, one database, one second.
#pragma once

#include "finalizers.h"

#include <chrono>
#include <vector>

namespace consentgate::bench {

inline constexpr std::chrono::seconds round_length{1};

struct RoundResult {
    double per_second = 0;       // transactions that ended within the round
    std::vector<double> waits{}; // of every transaction, in milliseconds
};

// Forks the processes, lets them begin together, and collects. Each takes the next settlement of
// the stock that nobody has taken, so a process that is held up keeps nothing from the others.
// fail: throws when a process failed
RoundResult run_round(
    const OpenSettler& open, int processes, const std::vector<core::Finalization>& stock);

} // namespace consentgate::bench
