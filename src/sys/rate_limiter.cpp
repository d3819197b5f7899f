#include "consentgate/sys/rate_limiter.h"

#include "consentgate/sys/random.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

namespace consentgate::sys {
namespace {

constexpr std::size_t slots = 16384;

} // namespace

// One word a slot, the minute above and the count below, so that one compare-and-swap starts or
// counts a minute.
struct RateLimiter::Counters {
    std::array<std::atomic<std::uint64_t>, slots> slot;
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");
};

RateLimiter::RateLimiter() {
    void* memory = ::mmap(
        nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("there is no memory for the rate limits");
    counters_ = new (memory) Counters{};
    const auto random = OsRandom().bytes(sizeof seed_);
    std::memcpy(&seed_, random.data(), sizeof seed_);
}

RateLimiter::~RateLimiter() { ::munmap(counters_, sizeof(Counters)); }

// The seed stands first: behind two texts that a hash already confuses it could not tell them
// apart.
std::size_t RateLimiter::slot_of(std::string_view what, std::string_view who) const {
    const auto key = std::to_string(seed_) + " " + std::string(what) + " " + std::string(who);
    return std::hash<std::string>{}(key) % slots;
}

int RateLimiter::admit(std::string_view what, std::string_view who, int limit, core::Instant now) {
    if (limit == 0) return 0;
    auto& slot = counters_->slot[slot_of(what, who)];
    const auto minute = static_cast<std::uint64_t>(core::epoch(now)) / 60;
    auto seen = slot.load();
    while (true) {
        const auto count = seen >> 32 == minute ? seen & 0xFFFFFFFFU : 0;
        if (count >= static_cast<std::uint64_t>(limit))
            return static_cast<int>(60 - core::epoch(now) % 60);
        if (slot.compare_exchange_weak(seen, minute << 32 | (count + 1))) return 0;
    }
}

void RateLimiter::forgive(
    std::string_view what, std::string_view who, int limit, core::Instant now) {
    if (limit == 0) return;
    auto& slot = counters_->slot[slot_of(what, who)];
    const auto minute = static_cast<std::uint64_t>(core::epoch(now)) / 60;
    auto seen = slot.load();
    // Nothing is left to take back once the next minute has begun.
    while (seen >> 32 == minute && (seen & 0xFFFFFFFFU) > 0) {
        if (slot.compare_exchange_weak(seen, seen - 1)) return;
    }
}

} // namespace consentgate::sys
