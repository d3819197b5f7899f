#include "consentgate/sys/fetch_limiter.h"

#include "consentgate/core/base/secret.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace consentgate::sys {
namespace {

constexpr std::size_t slots = 64;
constexpr std::chrono::milliseconds look_every{20};

} // namespace

struct FetchLimiter::Shared {
    struct Slot {
        pid_t holder = 0; // 0: free
        bool waits = false;
        std::array<char, 64> key{}; // SHA-256 of the name of the work, in hexadecimal
        std::array<char, 64> who{}; // likewise, of whose work it is
    };

    pthread_mutex_t mutex;
    std::array<Slot, slots> slot;

    // Frees the place of a worker that died in it. Its process id cannot belong to another worker
    // yet, or only for a moment.
    static bool held(Slot& slot) {
        if (slot.holder != 0 && ::kill(slot.holder, 0) != 0 && errno == ESRCH) slot.holder = 0;
        return slot.holder != 0;
    }
};

class FetchLimiter::Locked {
public:
    explicit Locked(Shared& shared) : shared_(shared) {
        // The previous owner died while it held the mutex. It left a slot with its own process id
        // or with none, and `held` frees both.
        if (pthread_mutex_lock(&shared_.mutex) == EOWNERDEAD)
            pthread_mutex_consistent(&shared_.mutex);
    }
    ~Locked() { pthread_mutex_unlock(&shared_.mutex); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    Shared& shared_;
};

FetchLimiter::FetchLimiter() {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("there is no memory for the limiter of fetches");
    shared_ = new (memory) Shared{};
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    const int failed = pthread_mutex_init(&shared_->mutex, &kind);
    pthread_mutexattr_destroy(&kind);
    if (failed != 0) throw std::runtime_error("the limiter of fetches cannot be made");
}

// Does not destroy the mutex: other processes may still use it. The kernel frees its memory with
// the last of them.
FetchLimiter::~FetchLimiter() { ::munmap(shared_, sizeof(Shared)); }

struct FetchLimiter::Claim {
    std::string key, who; // SHA-256, in hexadecimal; `who` is empty for nobody's
    std::size_t limit;

    // Half of the places, rounded up, so that a single place is for everybody.
    std::size_t of_one() const { return who.empty() ? limit : (limit + 1) / 2; }
};

// out: a place, absent when there is none for this work; `busy`: another worker fetches the same
std::optional<FetchLimiter::Place> FetchLimiter::claim(const Claim& claim, bool& busy) {
    const Locked locked(*shared_);
    std::size_t taken = 0, taken_by_one = 0, free = slots;
    busy = false;
    for (std::size_t i = 0; i < slots; ++i) {
        auto& slot = shared_->slot[i];
        if (!Shared::held(slot)) {
            free = std::min(free, i);
            continue;
        }
        ++taken;
        taken_by_one += std::equal(claim.who.begin(), claim.who.end(), slot.who.begin()) ? 1 : 0;
        busy = busy ||
               (!slot.waits && std::equal(claim.key.begin(), claim.key.end(), slot.key.begin()));
    }
    if (taken >= claim.limit || taken_by_one >= claim.of_one() || free == slots)
        return std::nullopt;
    auto& slot = shared_->slot[free];
    std::copy(claim.key.begin(), claim.key.end(), slot.key.begin());
    slot.who.fill('\0');
    std::copy(claim.who.begin(), claim.who.end(), slot.who.begin());
    slot.waits = busy;
    slot.holder = ::getpid();
    return Place{busy ? Entry::waited : Entry::entered, free};
}

bool FetchLimiter::in_flight(std::string_view key) {
    const Locked locked(*shared_);
    return std::any_of(shared_->slot.begin(), shared_->slot.end(), [&](Shared::Slot& slot) {
        return Shared::held(slot) && !slot.waits &&
               std::equal(key.begin(), key.end(), slot.key.begin());
    });
}

void FetchLimiter::release(std::size_t slot) {
    const Locked locked(*shared_);
    shared_->slot[slot].holder = 0;
}

FetchLimiter::Place FetchLimiter::enter(
    std::string_view what, std::size_t limit, Time until, std::string_view who) {
    const auto key = core::sha256(what).hex;
    bool busy = false;
    const auto place = claim(
        {.key = key, .who = who.empty() ? std::string() : core::sha256(who).hex, .limit = limit},
        busy);
    if (!place) return {};
    if (!busy) return *place;
    while (in_flight(key) && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(look_every);
    const bool done = !in_flight(key);
    release(place->slot);
    return {done ? Entry::waited : Entry::full, 0};
}

void FetchLimiter::leave(const Place& place) { release(place.slot); }

} // namespace consentgate::sys
