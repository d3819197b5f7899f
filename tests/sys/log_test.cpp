#include "consentgate/sys/log.h"

#include "consentgate/core/secret.h"
#include "tests/support/captured_log.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <type_traits>

using consentgate::tests::CapturedLog;
using boost::unit_test::label;

namespace {

// A secret does not fit into a field.
static_assert(!std::is_constructible_v<std::pair<std::string_view, std::string>, const char*, consentgate::core::Secret>);

std::string line_with(const std::string& value) {
    const CapturedLog log;
    consentgate::sys::log_event("request", {{"why", value}, {"status", "400"}});
    return log.text();
}

// Every run of digits as one 9, so that a line with time and process id can be compared.
std::string without_numbers(const std::string& line) {
    std::string out;
    for (const char c : line) {
        const bool digit = c >= '0' && c <= '9';
        if (!digit || out.empty() || out.back() != '9') out += digit ? '9' : c;
    }
    return out;
}

std::string outside_quotes(const std::string& line) {
    std::string out;
    bool inside = false;
    for (const char c : line) {
        if (c == '"') inside = !inside;
        if (!inside) out += c;
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(an_event_is_one_line_with_time_name_process_and_fields) {
    BOOST_TEST(without_numbers(line_with("plain")) == "9-9-9T9:9:9.9Z event=request pid=9 why=plain status=9\n");
}

BOOST_AUTO_TEST_CASE(no_value_can_forge_a_line_or_a_field, *label("K47") * label("C12")) {
    for (const std::string hostile : {"a\nevent=forged", "a\r\nb", "a status=200", "\" status=200 \"", "a=b", "\\\"", "\x1b[31m", "\u2028", "", "\x7f"}) {
        const auto line = line_with(hostile);
        BOOST_TEST_CONTEXT(line) {
            BOOST_TEST(std::count(line.begin(), line.end(), '\n') == 1);
            BOOST_TEST(std::count(line.begin(), line.end(), '"') % 2 == 0);
            BOOST_TEST(line.ends_with(" status=400\n"));
            // Outside quotes there are the four fields and no other.
            const auto outside = outside_quotes(line);
            BOOST_TEST(std::count(outside.begin(), outside.end(), '=') == 4);
            BOOST_TEST(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= 0x20 && c < 0x7F; }));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut, *label("R17")) {
    BOOST_TEST(line_with(std::string(300, 'x')).find(std::string(300, 'x')) != std::string::npos);
    BOOST_TEST(line_with(std::string(100000, 'x')).size() < 500U);
}

BOOST_AUTO_TEST_SUITE_END()
