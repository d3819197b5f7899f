// Bounds how many documents the workers of one master fetch at a time, and keeps two workers from
// fetching the same one. It lives in memory that the master maps before it forks.
// spec: docs/requirements.md R31
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace consentgate::sys {

class FetchLimiter {
public:
    using Time = std::chrono::steady_clock::time_point;

    // Make it before the fork. fail: throws std::runtime_error
    FetchLimiter();
    ~FetchLimiter();
    FetchLimiter(const FetchLimiter&) = delete;
    FetchLimiter& operator=(const FetchLimiter&) = delete;

    enum class Entry {
        entered, // the caller fetches, then leaves
        waited,  // another worker was fetching it and has finished: look at its result
        full,    // too many workers are fetching or waiting, or the wait was too long
    };
    struct Place {
        Entry entry = Entry::full;
        std::size_t slot = 0;
    };
    // A worker that waits holds a place like one that fetches, so that `limit` bounds the workers
    // that slow hosts can keep busy.
    // in: what   the work, by a name that all workers give it
    //     limit  places in all, at most 64
    //     until  how long the caller waits for another worker at the same work
    //     who    on whose behalf: half of the places at most are for one; empty: for nobody's
    Place enter(std::string_view what, std::size_t limit, Time until, std::string_view who = {});
    void leave(const Place& place); // after `entered`

private:
    struct Shared;
    class Locked;
    struct Claim;
    std::optional<Place> claim(const Claim& claim, bool& in_flight);
    bool in_flight(std::string_view key);
    void release(std::size_t slot);

    Shared* shared_;
};

} // namespace consentgate::sys
