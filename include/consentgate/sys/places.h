// The places of one program: how many of its workers wait for another party at a time. Whoever asks
// a service, fetches a document or reads a body that does not come holds one, so that no party, and
// no kind of them, keeps all workers busy.
//
// They lie in memory that the master maps before it forks; or, for programs that the web server
// starts itself (mod_fcgid), in a file that all of them map. The place of a process that died is
// free again. spec: docs/requirements.md XC2
#pragma once

#include "consentgate/core/base/place_limits.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace consentgate::sys {

class Metrics;
class SharedMemory;

// Closed set; src/sys/places.cpp has the names.
enum class PlaceKind {
    refresh,      // of a token at a service
    wait,         // for another worker's refresh
    redeem,       // of a code that a service gave
    registration, // at a service, and asking whether it still knows us
    discovery,    // of a service
    revocation,   // at a service
    documents,    // of clients
    keys,         // of clients
    signin,       // asking an identity provider about a person
    body,         // of a request
};
inline constexpr std::size_t place_kinds = static_cast<std::size_t>(PlaceKind::body) + 1;
std::string_view name_of(PlaceKind kind);

// Returns the host and port of a URL: places that have the same ones count together.
std::string place_target(const std::string& url);

class Places;

// Gives the place back at the end of its scope.
class [[nodiscard]] Place {
public:
    Place() = default;
    // A place where nothing is limited: in the operator's commands.
    static Place unlimited();
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }

    explicit operator bool() const { return held_; } // false: there was none
    void leave();                                    // before the end of the scope

private:
    friend class Places;
    Places* places_ = nullptr;
    bool held_ = false;
};

class Places {
public:
    using Patience = std::chrono::milliseconds;
    static constexpr Patience patience{300};

    // For the workers of one master, which says how many they are. Make it before the fork.
    // fail: throws std::runtime_error
    Places();
    // For programs that have no master in common; each process that joins counts as a worker.
    // fail: throws std::runtime_error when the file cannot be made or written
    explicit Places(const std::string& file);
    ~Places();
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;

    bool in_file() const { return in_file_; }
    void set_workers(std::size_t workers); // where they have a master
    void join();                           // in a worker, after the fork
    // Counts from now on. in: role  of this program
    void count_in(Metrics* metrics, std::string_view role);

    // Waits for a place while others have it, if not too many wait already. A worker counts once: a
    // place that is entered while it holds another one is that other one.
    // in:   target    the other party
    //       patience  the longest wait; zero: none
    Place enter(PlaceKind kind, std::string_view target, Patience longest = patience);
    // Frees the places of processes that have died, which enter() does only when it needs one.
    void release_dead();

private:
    friend class Place;
    struct Slot;
    struct Shared;
    struct Wanted;
    enum class Look { taken, again, refused };
    Shared& shared() const;
    core::PlaceCounts count_held(const Wanted& wanted, std::size_t& waiting) const;
    Look try_to_take(Wanted& wanted);
    Look look(Wanted& wanted, bool first, bool last);
    void leave();
    std::size_t workers() const;
    void show_held() const;

    bool in_file_;
    std::unique_ptr<SharedMemory> memory_;
    Metrics* metrics_ = nullptr;
    std::string role_;
    // The memory of this process has these, and not the shared one.
    pid_t holder_ = 0;
    int entered_ = 0; // one in the other
    std::size_t slot_ = 0;
};

} // namespace consentgate::sys
