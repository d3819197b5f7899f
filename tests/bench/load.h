// Journeys side by side, one thread each.
#pragma once

#include "journey.h"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace consentgate::bench {

struct Load {
    int concurrent = 1;
    std::size_t limit = 0; // journeys
    std::chrono::nanoseconds max_bytes{};
};

struct LoadResult {
    double seconds = 0;
    std::vector<double> waits; // of each journey, in milliseconds

    double per_second() const { return static_cast<double>(waits.size()) / seconds; }
};

using MakeTraveller = std::function<std::unique_ptr<Traveller>()>;

// Makes journeys until there were enough or the time is up. fail: throws what the first failing
// journey threw
LoadResult run_load(const Load& load, const MakeTraveller& make_traveller);

} // namespace consentgate::bench
