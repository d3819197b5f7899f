#include "consentgate/sys/places.h"

#include "processes.h"

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/sys/metrics.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <stdexcept>
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

// The kernel gives this lock back when its holder dies, in whatever state; a slot's holder is
// written last.
class Places::Locked {
public:
    explicit Locked(int file) : file_(file) { set(F_WRLCK); }
    ~Locked() { set(F_UNLCK); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    void set(short type) const {
        struct flock whole {}; // from byte 0 on, without an end
        whole.l_type = type;
        while (::fcntl(file_, F_SETLKW, &whole) != 0 && errno == EINTR) {}
    }
    int file_;
};

// A worker asks for this, and waits in that slot.
struct Places::Wanted {
    PlaceKind kind;
    Target target;
    bool may_wait; // where there is none at once
    std::optional<std::size_t> slot{};
};

Places::Places() {
    file_ = ::memfd_create("places", MFD_CLOEXEC);
    if (file_ < 0 || ::ftruncate(file_, sizeof(Shared)) != 0)
        throw std::runtime_error("there is no memory for the places of workers");
    map(file_, "memory");
    shared_->workers = 1;
}

Places::Places(const std::string& file) : in_file_(true) {
    const auto fail = [&](const char* reason) {
        return std::runtime_error("the file of places " + file + ": " + reason);
    };
    for (int tries = 0; tries < 2; ++tries) {
        file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file_ < 0) throw fail("cannot be opened for writing");
        {
            const Locked locked(file_);
            struct stat facts {};
            if (::fstat(file_, &facts) != 0 || !S_ISREG(facts.st_mode)) throw fail("is not a file");
            // Allocates the blocks: a write into a hole of the file kills its writer on a full
            // disk.
            if (facts.st_size == 0 && ::posix_fallocate(file_, 0, sizeof(Shared)) != 0)
                throw fail("cannot be made large enough");
            if (facts.st_size == 0 || facts.st_size == static_cast<off_t>(sizeof(Shared))) {
                map(file_, file);
                if (facts.st_size == 0) shared_->layout = Shared::this_layout();
                if (shared_->layout == Shared::this_layout()) return;
                ::munmap(std::exchange(shared_, nullptr), sizeof(Shared));
            }
        }
        // Another version made it and may still use it.
        ::close(std::exchange(file_, -1));
        if (::unlink(file.c_str()) != 0)
            throw fail("belongs to another version, and cannot be replaced");
    }
    throw fail("is being replaced by another process");
}

void Places::map(int file, const std::string& name) {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) throw std::runtime_error(name + ": the places cannot be mapped");
    shared_ = static_cast<Shared*>(memory);
}

Places::~Places() {
    if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
    if (file_ >= 0) ::close(file_);
}

void Places::set_workers(std::size_t workers) {
    const Locked locked(file_);
    shared_->workers = std::max<std::size_t>(1, workers);
}

void Places::join() {
    if (!in_file_) return;
    const Locked locked(file_);
    shared_->free_dead();
    const auto self = this_process();
    auto& members = shared_->member;
    if (std::find(members.begin(), members.end(), self) != members.end()) return;
    const auto free = std::find(members.begin(), members.end(), Process{});
    if (free != members.end()) *free = self;
}

void Places::count_in(Metrics* metrics, std::string_view role) {
    metrics_ = metrics;
    role_ = role;
}

std::size_t Places::workers() const {
    if (shared_->workers != 0) return shared_->workers;
    const auto& members = shared_->member;
    const auto none = std::count(members.begin(), members.end(), Process{});
    return std::max<std::size_t>(1, members.size() - static_cast<std::size_t>(none));
}

void Places::show_held() const {
    if (!metrics_) return;
    std::array<std::uint64_t, place_kinds> held{};
    for (const auto& slot : shared_->slot) {
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
        const auto& slot = shared_->slot[i];
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
        const auto& all = shared_->slot;
        const auto empty = std::find_if(
            all.begin(), all.end(), [](const Slot& slot) { return slot.holder.pid == 0; });
        if (empty == all.end()) return Look::refused;
        wanted.slot = static_cast<std::size_t>(empty - all.begin());
    }
    auto& slot = shared_->slot[*wanted.slot];
    slot.kind = wanted.kind;
    slot.target = wanted.target;
    slot.waits = !free;
    slot.holder = this_process();
    return free ? Look::taken : Look::again;
}

Places::Look Places::look(Wanted& wanted, bool first, bool last) {
    const Locked locked(file_);
    auto result = try_to_take(wanted);
    if (result != Look::taken && (first || last)) {
        shared_->free_dead();
        result = try_to_take(wanted);
    }
    if (result == Look::again && last) {
        shared_->slot[*wanted.slot].holder = {};
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
    const Locked locked(file_);
    shared_->slot[slot_].holder = {};
    show_held();
}

void Places::release_dead() {
    const Locked locked(file_);
    shared_->free_dead();
    show_held();
}

} // namespace consentgate::sys
