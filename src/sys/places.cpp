#include "consentgate/sys/places.h"

#include "processes.h"
#include "shared_memory.h"

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/sys/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <utility>

namespace consentgate::sys {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t slots = 512, max_members = 1024;
constexpr std::chrono::milliseconds look_every{5};

// A digest, so that nobody can choose a name that shares the places of another one.
using Target = std::array<char, 16>;

Target target_named(std::string_view name) {
    const auto digest = core::sha256(name).hex;
    Target target{};
    std::copy_n(digest.begin(), target.size(), target.begin());
    return target;
}

} // namespace

std::string_view name_of(PlaceKind kind) {
    switch (kind) {
    case PlaceKind::refresh: return "refresh";
    case PlaceKind::wait: return "wait";
    case PlaceKind::redeem: return "redeem";
    case PlaceKind::registration: return "registration";
    case PlaceKind::discovery: return "discovery";
    case PlaceKind::revocation: return "revocation";
    case PlaceKind::documents: return "documents";
    case PlaceKind::keys: return "keys";
    case PlaceKind::signin: return "signin";
    case PlaceKind::body: return "body";
    }
    return "";
}

std::string place_target(const std::string& url) {
    const auto parts = core::split_uri(url);
    if (!parts || parts->host.empty()) return url;
    const bool secure = core::lower_ascii(parts->scheme) == "https";
    return core::lower_ascii(parts->host) + ":" +
           (parts->port.empty() ? (secure ? "443" : "80") : std::string(parts->port));
}

Place Place::unlimited() {
    Place place;
    place.held_ = true;
    return place;
}

Place::Place(Place&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)), held_(std::exchange(other.held_, false)) {}

Place& Place::operator=(Place&& other) noexcept {
    leave();
    places_ = std::exchange(other.places_, nullptr);
    held_ = std::exchange(other.held_, false);
    return *this;
}

void Place::leave() {
    if (auto* places = std::exchange(places_, nullptr)) places->leave();
    held_ = false;
}

struct Places::Slot {
    Process holder; // no process: free
    PlaceKind kind{};
    bool waits = false; // for a place
    Target target{};
};

struct Places::Shared {
    std::uint64_t layout = 0; // of the program version that made this file
    std::size_t workers = 0;  // 0: as many as there are members
    std::array<Slot, slots> slot{};
    std::array<Process, max_members> member{};

    static constexpr std::uint64_t this_layout() {
        return 0x1001 + sizeof(Shared) + (place_kinds << 32);
    }

    void free_dead() {
        for (auto& one : slot) {
            if (one.holder.pid != 0 && !is_alive(one.holder)) one.holder = {};
        }
        for (auto& one : member) {
            if (one.pid != 0 && !is_alive(one)) one = {};
        }
    }
};

// A worker asks for this, and waits in that slot.
struct Places::Wanted {
    PlaceKind kind;
    Target target;
    bool may_wait; // where there is none at once
    std::optional<std::size_t> slot{};
};

Places::Places() : in_file_(false), memory_(std::make_unique<SharedMemory>(sizeof(Shared))) {
    shared().workers = 1;
}

Places::Places(const std::string& file)
    : in_file_(true),
      memory_(std::make_unique<SharedMemory>(file, sizeof(Shared), Shared::this_layout())) {}

Places::~Places() = default;

Places::Shared& Places::shared() const { return *static_cast<Shared*>(memory_->data()); }

void Places::set_workers(std::size_t workers) {
    const SharedMemory::Lock locked(*memory_);
    shared().workers = std::max<std::size_t>(1, workers);
}

void Places::join() {
    if (!in_file_) return;
    const SharedMemory::Lock locked(*memory_);
    shared().free_dead();
    const auto self = this_process();
    auto& members = shared().member;
    if (std::find(members.begin(), members.end(), self) != members.end()) return;
    const auto free = std::find(members.begin(), members.end(), Process{});
    if (free != members.end()) *free = self;
}

void Places::count_in(Metrics* metrics, std::string_view role) {
    metrics_ = metrics;
    role_ = role;
}

std::size_t Places::workers() const {
    if (shared().workers != 0) return shared().workers;
    const auto& members = shared().member;
    const auto none = std::count(members.begin(), members.end(), Process{});
    return std::max<std::size_t>(1, members.size() - static_cast<std::size_t>(none));
}

void Places::show_held() const {
    if (!metrics_) return;
    std::array<std::uint64_t, place_kinds> held{};
    for (const auto& slot : shared().slot) {
        if (slot.holder.pid != 0 && !slot.waits) ++held[static_cast<std::size_t>(slot.kind)];
    }
    for (std::size_t kind = 0; kind < place_kinds; ++kind) {
        const auto name = name_of(static_cast<PlaceKind>(kind));
        metrics_->set(Metric::places_held, {{"role", role_}, {"kind", name}}, held[kind]);
    }
}

// out: the places of others; the slot in which the asking worker waits does not count
core::PlaceCounts Places::count_held(const Wanted& wanted, std::size_t& waiting) const {
    core::PlaceCounts held;
    waiting = 0;
    for (std::size_t i = 0; i < slots; ++i) {
        const auto& slot = shared().slot[i];
        if (slot.holder.pid == 0 || wanted.slot == i) continue;
        if (slot.waits) {
            ++waiting;
            continue;
        }
        ++held.all;
        held.of_kind += slot.kind == wanted.kind;
        held.of_target += slot.target == wanted.target;
    }
    return held;
}

// The caller holds the lock.
Places::Look Places::try_to_take(Wanted& wanted) {
    std::size_t waiting = 0;
    const auto held = count_held(wanted, waiting);
    const bool free = core::place_is_free(held, workers());
    if (!free && wanted.slot) return Look::again;
    if (!free && !(wanted.may_wait && core::may_wait_for_place(held, waiting, workers())))
        return Look::refused;
    if (!wanted.slot) {
        const auto& all = shared().slot;
        const auto empty = std::find_if(
            all.begin(), all.end(), [](const Slot& slot) { return slot.holder.pid == 0; });
        if (empty == all.end()) return Look::refused;
        wanted.slot = static_cast<std::size_t>(empty - all.begin());
    }
    auto& slot = shared().slot[*wanted.slot];
    slot.kind = wanted.kind;
    slot.target = wanted.target;
    slot.waits = !free;
    slot.holder = this_process();
    return free ? Look::taken : Look::again;
}

Places::Look Places::look(Wanted& wanted, bool first, bool last) {
    const SharedMemory::Lock locked(*memory_);
    auto result = try_to_take(wanted);
    if (result != Look::taken && (first || last)) {
        shared().free_dead();
        result = try_to_take(wanted);
    }
    if (result == Look::again && last) {
        shared().slot[*wanted.slot].holder = {};
        result = Look::refused;
    }
    if (result != Look::again) show_held();
    return result;
}

Place Places::enter(PlaceKind kind, std::string_view target, Patience longest) {
    Place place;
    if (holder_ == ::getpid() && entered_ > 0) {
        ++entered_;
    } else {
        Wanted wanted{
            .kind = kind, .target = target_named(target), .may_wait = longest.count() > 0};
        const auto until = Clock::now() + longest;
        auto result = look(wanted, true, false);
        while (result == Look::again) {
            std::this_thread::sleep_for(look_every);
            result = look(wanted, false, Clock::now() >= until);
        }
        if (result == Look::refused) {
            if (metrics_)
                metrics_->count(Metric::places_refused, {{"role", role_}, {"kind", name_of(kind)}});
            return place;
        }
        holder_ = ::getpid();
        slot_ = *wanted.slot;
        entered_ = 1;
    }
    place.places_ = this;
    place.held_ = true;
    return place;
}

void Places::leave() {
    if (holder_ != ::getpid() || --entered_ > 0) return;
    const SharedMemory::Lock locked(*memory_);
    shared().slot[slot_].holder = {};
    show_held();
}

void Places::release_dead() {
    const SharedMemory::Lock locked(*memory_);
    shared().free_dead();
    show_held();
}

} // namespace consentgate::sys
