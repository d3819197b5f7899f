#include "consentgate/sys/recent_calls.h"

#include "shared_memory.h"

#include "consentgate/core/base/secret.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace consentgate::sys {
namespace {

constexpr std::size_t slots = 16384;

// Where a session is noted, and what distinguishes it from the others there.
struct Place {
    std::size_t slot;
    std::uint64_t mark; // in the upper half
};

Place place_of(const core::SessionId& session) {
    constexpr std::size_t digits = 16;
    const auto digest =
        std::strtoull(core::sha256(session.text).hex.substr(0, digits).c_str(), nullptr, 16);
    return {static_cast<std::size_t>(digest % slots), digest & 0xFFFF'FFFF'0000'0000ULL};
}

std::uint64_t seconds(core::Instant at) {
    return static_cast<std::uint64_t>(core::epoch(at)) & 0xFFFF'FFFFULL;
}

std::optional<core::Instant> time_of(std::uint64_t seconds) {
    if (seconds == 0) return std::nullopt;
    return core::Instant(core::Span(static_cast<std::int64_t>(seconds)));
}

} // namespace

// A word is one session's mark and the end of its recent call, so it is written and read whole
// without a lock.
struct RecentCalls::Table {
    using Word = std::atomic<std::uint64_t>;
    static_assert(Word::is_always_lock_free && sizeof(Word) == sizeof(std::uint64_t));

    std::uint64_t layout;
    Word last_call, last_report;
    std::array<Word, slots> word;

    static constexpr std::uint64_t this_layout() {
        return 0x6367'7263'0001'0000ULL + sizeof(Table);
    }
};

RecentCalls::RecentCalls(const std::string& file)
    : memory_(std::make_unique<SharedMemory>(file, sizeof(Table), Table::this_layout())) {}

RecentCalls::~RecentCalls() = default;

RecentCalls::Table& RecentCalls::table() const { return *static_cast<Table*>(memory_->data()); }

void RecentCalls::note_call(
    const core::SessionId& session, core::Instant until, core::Instant now) {
    table().last_call.store(seconds(now), std::memory_order_relaxed);
    if (until <= now) return;
    const auto place = place_of(session);
    table().word[place.slot].store(place.mark | seconds(until), std::memory_order_relaxed);
}

bool RecentCalls::called_lately(const core::SessionId& session, core::Instant now) const {
    const auto place = place_of(session);
    const auto word = table().word[place.slot].load(std::memory_order_relaxed);
    const auto until = time_of(word & 0xFFFF'FFFFULL);
    return until && (word & 0xFFFF'FFFF'0000'0000ULL) == place.mark && now < *until &&
           *until - now <= longest;
}

void RecentCalls::note_report(core::Instant now) {
    table().last_report.store(seconds(now), std::memory_order_relaxed);
}

std::optional<core::Instant> RecentCalls::last_call() const {
    return time_of(table().last_call.load(std::memory_order_relaxed));
}

std::optional<core::Instant> RecentCalls::last_report() const {
    return time_of(table().last_report.load(std::memory_order_relaxed));
}

} // namespace consentgate::sys
