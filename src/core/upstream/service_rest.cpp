#include "consentgate/core/upstream/service_rest.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::int32_t tolerated_timeouts = 5;
constexpr Span first_rest{30}, longest_rest{600};

ServiceRest rest_anew(ServiceRest state, Instant now) {
    auto time = first_rest;
    for (std::int32_t rest = 0; rest < state.rests && time < longest_rest; ++rest) time *= 2;
    ++state.rests;
    state.until = now + std::min(time, longest_rest);
    return state;
}

} // namespace

std::optional<Span> rest_of(const ServiceRest& state, Instant now) {
    const auto left = state.until - now;
    if (state.is_awake() || left <= Span(0) || left > longest_rest) return std::nullopt;
    return left;
}

ServiceRest begin_trial(ServiceRest state, Instant now, Span time) {
    state.until = now + std::min(time, longest_rest);
    return state;
}

ServiceRest after_answer(ServiceRest) { return {}; }

ServiceRest after_timeout(ServiceRest state, std::uint64_t account, bool trial, Instant now) {
    // Another request than the trial was begun before the rest, which has its time already.
    if (!state.is_awake()) return trial ? rest_anew(state, now) : state;
    if (state.timeouts == 0) state.first = account;
    state.several = state.several || account != state.first;
    state.timeouts = std::min(state.timeouts + 1, tolerated_timeouts);
    return state.timeouts >= tolerated_timeouts && state.several ? rest_anew(state, now) : state;
}

} // namespace consentgate::core
