// A clock that stands until a case moves it. Waiting moves it too, and lets others act.
#pragma once

#include "consentgate/sys/clock.h"

#include <chrono>
#include <functional>

namespace consentgate::tests {

class MovingClock final : public sys::Clock {
public:
    std::function<void()> while_waiting = [] {};

    explicit MovingClock(core::Instant now) : now_(now) {}
    core::Instant now() const override { return std::chrono::floor<core::Span>(now_); }
    void pause(std::chrono::milliseconds time) const override {
        now_ += time;
        waited_ += time;
        while_waiting();
    }
    void move(core::Span time) { now_ += time; }
    std::chrono::milliseconds waited() const { return waited_; }

private:
    mutable std::chrono::sys_time<std::chrono::milliseconds> now_;
    mutable std::chrono::milliseconds waited_{0};
};

} // namespace consentgate::tests
