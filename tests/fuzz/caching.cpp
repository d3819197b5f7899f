// The headers in which the host of a client document limits its use: Cache-Control, Age and
// Expires, a line each. Every line is also read as a date.
#include "lines.h"
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/client_document.h"

#include <chrono>
#include <cstdio>

using namespace consentgate;
using tests::require;

namespace {

std::string http_date(core::Instant at) {
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(at - day);
    char text[64];
    std::snprintf(
        text, sizeof text, "Sun, %02u %s %04d %02d:%02d:%02d GMT", unsigned(date.day()),
        months[unsigned(date.month()) - 1], int(date.year()), int(time.hours().count()),
        int(time.minutes().count()), int(time.seconds().count()));
    return text;
}

void look_at_date(std::string_view text) {
    const auto date = core::parse_http_date(text);
    if (!date) return;
    // The leap second of the last year that has four digits lies in the next.
    const bool writable = core::epoch(*date) < 253402300800;
    require(
        !writable || core::parse_http_date(http_date(*date)) == *date,
        "a date can be written and read again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = tests::text_of_input(data, size);
    core::CacheHeaders headers;
    for (auto* header : {&headers.cache_control, &headers.age, &headers.expires}) {
        *header = std::string(tests::take_line(text));
        look_at_date(*header);
    }
    const auto life = core::document_lifetime(headers, tests::noon);
    require(
        life >= core::Span(60) && life <= core::Span(86400),
        "a document is kept for a minute at least and for a day at most");
    require(
        core::document_lifetime(headers, tests::noon + core::Span(3600)) <= life,
        "what has an end comes nearer to it");
    auto fresh = headers;
    fresh.age.clear();
    require(life <= core::document_lifetime(fresh, tests::noon), "age makes no life longer");
    auto forbidden = headers;
    forbidden.cache_control += ", no-store";
    require(
        core::document_lifetime(forbidden, tests::noon) == core::Span(60),
        "what must not be stored is kept for one sign-in");
    return 0;
}
