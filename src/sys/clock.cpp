#include "consentgate/sys/clock.h"

#include <thread>

namespace consentgate::sys {

core::Instant SystemClock::now() const {
    return std::chrono::time_point_cast<core::Span>(std::chrono::system_clock::now());
}

void SystemClock::pause(std::chrono::milliseconds time) const { std::this_thread::sleep_for(time); }

} // namespace consentgate::sys
