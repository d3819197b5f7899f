#include "consentgate/sys/service_rests.h"

#include "shared_memory.h"

#include "consentgate/sys/metrics.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

namespace consentgate::sys {
namespace {

constexpr std::size_t slots = 256; // a service for which there is none is always asked
constexpr std::size_t max_service_id_bytes = 64;

} // namespace

struct ServiceRests::Table {
    struct Slot {
        std::array<char, max_service_id_bytes + 1> service; // empty: free
        core::ServiceRest state;
    };
    std::uint64_t layout; // of the program version that made a file
    std::array<Slot, slots> slot;

    static constexpr std::uint64_t this_layout() {
        return 0x6367'7265'0001'0000ULL + sizeof(Table);
    }
};

ServiceRests::ServiceRests()
    : in_file_(false), memory_(std::make_unique<SharedMemory>(sizeof(Table))) {}

ServiceRests::ServiceRests(const std::string& file)
    : in_file_(true),
      memory_(std::make_unique<SharedMemory>(file, sizeof(Table), Table::this_layout())) {}

ServiceRests::~ServiceRests() = default;

void ServiceRests::show_in(Metrics* metrics, std::string_view role) {
    metrics_ = metrics;
    role_ = role;
}

ServiceRests::Table& ServiceRests::table() const { return *static_cast<Table*>(memory_->data()); }

// out: null when it has no slot. The caller holds the lock.
core::ServiceRest* ServiceRests::find(const core::ServiceId& service, bool make) const {
    auto& all = table().slot;
    const auto named = [](const std::string& name) {
        return [&name](const Table::Slot& slot) { return name == slot.service.data(); };
    };
    auto slot = std::find_if(all.begin(), all.end(), named(service.text));
    if (slot == all.end() && make && service.text.size() <= max_service_id_bytes) {
        slot = std::find_if(all.begin(), all.end(), named(""));
        if (slot != all.end())
            std::copy(service.text.begin(), service.text.end(), slot->service.begin());
    }
    return slot == all.end() ? nullptr : &slot->state;
}

ServiceRests::Entry ServiceRests::enter(
    const core::ServiceId& service, core::Instant now, core::Span time) {
    const SharedMemory::Lock locked(*memory_);
    auto* state = find(service, false);
    if (state == nullptr || state->is_awake()) return {};
    if (const auto rests = core::rest_of(*state, now)) return {rests};
    *state = core::begin_trial(*state, now, time);
    return {std::nullopt, true};
}

std::optional<core::Span> ServiceRests::rest_of(
    const core::ServiceId& service, core::Instant now) const {
    const SharedMemory::Lock locked(*memory_);
    const auto* state = find(service, false);
    return state == nullptr ? std::nullopt : core::rest_of(*state, now);
}

ServiceRests::Left ServiceRests::leave(
    const core::ServiceId& service, const Entry& entry, Outcome outcome, std::string_view account,
    core::Instant now) {
    if (outcome == Outcome::not_asked && !entry.trial) return {};
    const SharedMemory::Lock locked(*memory_);
    auto* state = find(service, outcome == Outcome::timed_out);
    if (state == nullptr) return {};
    const auto before = *state;
    switch (outcome) {
    case Outcome::not_asked: *state = core::begin_trial(before, now, core::Span(0)); break;
    case Outcome::in_time: *state = core::after_answer(before); break;
    case Outcome::timed_out:
        *state =
            core::after_timeout(before, std::hash<std::string_view>{}(account), entry.trial, now);
        break;
    }
    if (state->rests == before.rests) return {};
    show(service, !state->is_awake());
    return state->is_awake() ? Left{Change::awake} : Left{Change::rests, state->until - now};
}

void ServiceRests::show(const core::ServiceId& service, bool rests) const {
    if (metrics_)
        metrics_->set(
            Metric::services_resting, {{"role", role_}, {"service", service.text}}, rests ? 1 : 0);
}

} // namespace consentgate::sys
