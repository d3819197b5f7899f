// One round of finalizing flows: some processes, one database, one second.
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

// Forks the processes, lets them begin together, and collects. Each takes the next flow of the
// stock that no other has taken, so that a slow process does not hold up the others.
// fail: throws when a process failed
RoundResult run_round(
    const OpenFinalizer& open, int processes, const std::vector<core::Finalization>& stock);

} // namespace consentgate::bench
