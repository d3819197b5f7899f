#include "consentgate/core/base/time.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>

namespace consentgate::core {

std::optional<Instant> parse_http_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto parts = split(text, ' '); // "Sun,", "06", "Nov", "1994", "08:49:37", "GMT"
    if (parts.size() != 6 || parts[5] != "GMT") return std::nullopt;
    const auto month = std::find(months.begin(), months.end(), parts[2]);
    const auto clock = split(parts[4], ':');
    const auto day = parse_number(parts[1]), year = parse_number(parts[3]);
    if (month == months.end() || clock.size() != 3 || !day || !year || *year > 9999)
        return std::nullopt;
    const auto hour = parse_number(clock[0]), minute = parse_number(clock[1]),
               second = parse_number(clock[2]);
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    const std::chrono::year_month_day date{
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - months.begin() + 1)),
        std::chrono::day(static_cast<unsigned>(std::min<std::int64_t>(*day, 32)))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + Span(*hour * 3600 + *minute * 60 + *second);
}

} // namespace consentgate::core
