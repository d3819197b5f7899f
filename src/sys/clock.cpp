#include "consentgate/sys/clock.h"

#include <thread>

namespace consentgate::sys {

void pause(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

core::Instant now() { return std::chrono::time_point_cast<core::Span>(std::chrono::system_clock::now()); }

} // namespace consentgate::sys
