// Which services rest, as all workers of a program know it (core/upstream/service_rest.h has the
// rule). It lies in memory that the master maps before it forks; or, for programs that the web
// server starts itself (mod_fcgid), in a file that all of them map.
// spec: docs/requirements_from_use.md XC4
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/upstream/service_rest.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace consentgate::sys {

class Metrics;
class SharedMemory;

class ServiceRests {
public:
    ServiceRests(); // fail: throws std::runtime_error, as the next
    explicit ServiceRests(const std::string& file);
    ~ServiceRests();
    ServiceRests(const ServiceRests&) = delete;
    ServiceRests& operator=(const ServiceRests&) = delete;

    bool in_file() const { return in_file_; }
    // Shows from now on which services rest. in: role  of this program
    void show_in(Metrics* metrics, std::string_view role);

    struct Entry {
        std::optional<core::Span> rests; // present: it may not be asked for so long
        bool trial = false;              // the rest is over, and this request decides what follows
    };
    // in: time  that a request to it takes at most
    Entry enter(const core::ServiceId& service, core::Instant now, core::Span time);

    // How long it still rests; looks, and asks for nothing.
    std::optional<core::Span> rest_of(const core::ServiceId& service, core::Instant now) const;

    enum class Outcome { not_asked, in_time, timed_out };
    enum class Change { none, rests, awake };
    struct Left {
        Change change = Change::none;
        core::Span time{0}; // of the rest that has begun
    };
    // After an entry that does not rest. in: account  for which it was asked
    Left leave(
        const core::ServiceId& service, const Entry& entry, Outcome outcome,
        std::string_view account, core::Instant now);

private:
    struct Table;
    Table& table() const;
    core::ServiceRest* find(const core::ServiceId& service, bool make) const;
    void show(const core::ServiceId& service, bool rests) const;

    bool in_file_;
    std::unique_ptr<SharedMemory> memory_;
    Metrics* metrics_ = nullptr;
    std::string role_;
};

} // namespace consentgate::sys
