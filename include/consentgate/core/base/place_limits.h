// How many workers of a program may be busy with other parties at a time, so that the rest always
// answers everybody else. spec: docs/requirements.md XC2
#pragma once

#include <algorithm>
#include <cstddef>

namespace consentgate::core {

// Places, by what they have in common with the one that is asked for.
struct PlaceCounts {
    std::size_t all = 0;
    std::size_t of_kind = 0;   // for the same kind of work
    std::size_t of_target = 0; // with the same other party
};

// in:   workers  of the program; at least one
// out:  at least one of each
constexpr PlaceCounts place_limits(std::size_t workers) {
    const auto share = [](std::size_t of) { return std::max<std::size_t>(1, of); };
    return {
        .all = share(workers * 3 / 4),
        .of_kind = share(workers / 2),
        .of_target = share(workers / 4)};
}

// in:   held  the places that are taken
constexpr bool place_is_free(const PlaceCounts& held, std::size_t workers) {
    const auto limits = place_limits(workers);
    return held.all < limits.all && held.of_kind < limits.of_kind &&
           held.of_target < limits.of_target;
}

// Whether a worker may wait until a place is free. Those who wait are busy too: without this limit,
// callers of one party that hangs would keep all workers waiting.
// in:   waiting  workers that wait for a place
constexpr bool may_wait_for_place(
    const PlaceCounts& held, std::size_t waiting, std::size_t workers) {
    return held.all + waiting < place_limits(workers).all;
}

} // namespace consentgate::core
