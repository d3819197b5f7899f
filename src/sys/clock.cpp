#include "consentgate/sys/clock.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>

#include <thread>

namespace consentgate::sys {

void pause(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

std::optional<core::Instant> from_http_date(const std::string& text) {
    Poco::DateTime date;
    int zone = 0;
    // Poco makes a date of almost anything.
    if (text.size() != 29 || !text.ends_with(" GMT") ||
        !Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::HTTP_FORMAT, text, date, zone))
        return std::nullopt;
    return core::from_epoch(date.timestamp().epochTime());
}

core::Instant now() {
    return std::chrono::time_point_cast<core::Span>(std::chrono::system_clock::now());
}

} // namespace consentgate::sys
