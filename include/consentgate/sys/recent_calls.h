// Which sessions called through the gate a moment ago, and when the web server last reported one.
// The gate and the pages map one file, each with all its processes. It is a help and no record: of
// two sessions that share a place in it the later one is kept, and all is lost with the file.
// spec: docs/requirements.md M4, M10
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/time.h"

#include <memory>
#include <optional>
#include <string>

namespace consentgate::sys {

class SharedMemory;

class RecentCalls {
public:
    // fail: throws std::runtime_error when the file cannot be made or written
    explicit RecentCalls(const std::string& file);
    ~RecentCalls();
    RecentCalls(const RecentCalls&) = delete;
    RecentCalls& operator=(const RecentCalls&) = delete;

    // in: until  when the call is no longer recent; at most `longest` ahead
    void note_call(const core::SessionId& session, core::Instant until, core::Instant now);
    bool called_lately(const core::SessionId& session, core::Instant now) const;
    static constexpr core::Span longest{60};

    void note_report(core::Instant now);
    // Absent: never.
    std::optional<core::Instant> last_call() const;
    std::optional<core::Instant> last_report() const;

private:
    struct Table;
    Table& table() const;

    std::unique_ptr<SharedMemory> memory_;
};

} // namespace consentgate::sys
