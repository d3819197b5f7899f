#include "consentgate/sys/clock.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>

#include <thread>

namespace consentgate::sys {

core::Instant SystemClock::now() const {
    return std::chrono::time_point_cast<core::Span>(std::chrono::system_clock::now());
}

void SystemClock::pause(std::chrono::milliseconds time) const { std::this_thread::sleep_for(time); }

std::optional<core::Instant> from_http_date(const std::string& text) {
    Poco::DateTime date;
    int zone = 0;
    // Poco reads a date out of almost any text.
    if (text.size() != 29 || !text.ends_with(" GMT") ||
        !Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::HTTP_FORMAT, text, date, zone))
        return std::nullopt;
    return core::from_epoch(date.timestamp().epochTime());
}

} // namespace consentgate::sys
