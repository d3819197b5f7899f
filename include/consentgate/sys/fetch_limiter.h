// How many documents the workers of one master fetch at a time, and that no two of them fetch the
// same one. It lives in memory that the master makes before it forks. spec: requirement R31
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
        entered, // fetch, then leave
        waited,  // another worker was at it and is done: look what came of it
        full,    // too many are fetching or waiting, or the wait was too long
    };
    struct Place {
        Entry entry = Entry::full;
        std::size_t slot = 0;
    };
    // Who waits holds a place like who fetches, so that `most` bounds the workers that slow hosts
    // can keep busy.
    // in: most  places in all, at most 64
    Place enter(std::string_view what, std::size_t limit, Time until);
    void leave(const Place& place); // after `entered`

private:
    struct Shared;
    class Locked;
    std::optional<Place> take(std::string_view key, std::size_t limit, bool& in_flight);
    bool in_flight(std::string_view key);
    void release(std::size_t slot);

    Shared* shared_;
};

} // namespace consentgate::sys
