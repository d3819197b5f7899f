// When the workers of a program last tried to write into the database for nothing but to know
// whether they can, as all of them know it. It lies in memory that the master maps before it forks.
// spec: docs/requirements_from_use.md XF4
#pragma once

#include "consentgate/core/base/time.h"

#include <memory>
#include <optional>

namespace consentgate::sys {

class SharedMemory;

class WriteTrials {
public:
    WriteTrials(); // fail: throws std::runtime_error
    ~WriteTrials();
    WriteTrials(const WriteTrials&) = delete;
    WriteTrials& operator=(const WriteTrials&) = delete;

    // Gives what the last trial found, if it is young enough: 10 seconds for one that wrote, so
    // that nobody who asks often wears the disk, and 1 second for one that failed.
    std::optional<bool> recent(core::Instant now) const;
    void note(bool written, core::Instant now);
    // A request could not write: whatever a trial found before does not count.
    void doubt();

private:
    struct Last;
    Last& last() const;

    std::unique_ptr<SharedMemory> memory_;
};

} // namespace consentgate::sys
