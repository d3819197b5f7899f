#include "consentgate/sys/clock.h"

namespace consentgate::sys {

core::Instant now() { return std::chrono::time_point_cast<core::Span>(std::chrono::system_clock::now()); }

} // namespace consentgate::sys
