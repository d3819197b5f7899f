// The time of day, and waiting. The web layer reads it once per request; everything below takes an
// Instant.
#pragma once

#include "consentgate/core/base/time.h"

#include <chrono>

namespace consentgate::sys {

class Clock {
public:
    virtual ~Clock() = default;
    virtual core::Instant now() const = 0;
    // Blocks the caller; used only where another worker is already doing the same work.
    virtual void pause(std::chrono::milliseconds time) const = 0;
};

class SystemClock final : public Clock {
public:
    core::Instant now() const override;
    void pause(std::chrono::milliseconds time) const override;
};

} // namespace consentgate::sys
