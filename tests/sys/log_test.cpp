#include "consentgate/sys/log.h"

#include "consentgate/core/base/secret.h"
#include "tests/support/captured_log.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <type_traits>

using boost::unit_test::label;
using consentgate::sys::Log;
using consentgate::tests::CapturedLog;
using consentgate::tests::TempFolder;

namespace {

// A secret does not fit into a field.
static_assert(
    !std::is_constructible_v<
        std::pair<std::string_view, std::string_view>, const char*, consentgate::core::Secret>);

std::string line_with(const std::string& value) {
    const CapturedLog captured;
    Log().event("request", {{"why", value}, {"status", "400"}});
    return captured.text();
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
    BOOST_TEST(
        without_numbers(line_with("plain")) ==
        "9-9-9T9:9:9.9Z event=request pid=9 why=plain status=9\n");
}

BOOST_AUTO_TEST_CASE(no_value_can_forge_a_line_or_a_field, *label("K47") * label("C12")) {
    for (const std::string hostile :
         {"a\nevent=forged", "a\r\nb", "a status=200", "\" status=200 \"", "a=b", "\\\"",
          "\x1b[31m", "\u2028", "", "\x7f"}) {
        const auto line = line_with(hostile);
        BOOST_TEST_CONTEXT(line) {
            BOOST_TEST(std::count(line.begin(), line.end(), '\n') == 1);
            BOOST_TEST(std::count(line.begin(), line.end(), '"') % 2 == 0);
            BOOST_TEST(line.ends_with(" status=400\n"));
            // Outside quotes there are the four fields and no other.
            const auto outside = outside_quotes(line);
            BOOST_TEST(std::count(outside.begin(), outside.end(), '=') == 4);
            BOOST_TEST(std::all_of(
                line.begin(), line.end() - 1, [](char c) { return c >= 0x20 && c < 0x7F; }));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut, *label("R17")) {
    BOOST_TEST(line_with(std::string(300, 'x')).find(std::string(300, 'x')) != std::string::npos);
    BOOST_TEST(line_with(std::string(100000, 'x')).size() < 500U);
}

namespace {

std::string content_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

// Reads what a syslog daemon would; `made` is false where one runs already, or where this user may
// not bind its socket.
struct SyslogDaemon {
    SyslogDaemon() : socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, "/dev/log");
        made = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~SyslogDaemon() {
        ::close(socket);
        if (made) ::unlink("/dev/log");
    }
    std::string next() const {
        std::array<char, 2000> text{};
        const auto got = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
        return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }
    int socket;
    bool made;
};

} // namespace

BOOST_AUTO_TEST_CASE(
    a_security_event_stands_in_the_log_and_in_the_audit_file_and_other_events_in_the_log_alone,
    *label("O8")) {
    const TempFolder folder;
    const CapturedLog captured;
    Log log;
    log.open({false, folder.file("audit")});
    log.event("request", {{"status", "200"}});
    log.audit("consent", {{"session", "s1"}});
    const auto audited = without_numbers(content_of(folder.file("audit")));
    BOOST_TEST(audited == "9-9-9T9:9:9.9Z event=audit what=consent pid=9 session=s9\n");
    BOOST_TEST(
        without_numbers(captured.text()) ==
        "9-9-9T9:9:9.9Z event=request pid=9 status=9\n" + audited);
    struct stat facts {};
    BOOST_REQUIRE(::stat(folder.file("audit").c_str(), &facts) == 0);
    BOOST_TEST((facts.st_mode & 0777) == 0600U);
}

BOOST_AUTO_TEST_CASE(
    an_audit_file_is_appended_to_and_begun_anew_after_it_was_moved_away, *label("O8")) {
    const TempFolder folder;
    const CapturedLog captured;
    Log log;
    for (const auto* what : {"one", "two"}) {
        log.open({false, folder.file("audit")});
        log.audit(what, {});
    }
    BOOST_TEST(
        content_of(folder.file("audit")).find("what=one") <
        content_of(folder.file("audit")).find("what=two"));
    BOOST_REQUIRE(::rename(folder.file("audit").c_str(), folder.file("audit.1").c_str()) == 0);
    log.open({false, folder.file("audit")});
    log.audit("three", {});
    BOOST_TEST(content_of(folder.file("audit")).find("what=one") == std::string::npos);
    BOOST_TEST(content_of(folder.file("audit")).find("what=three") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    an_audit_file_that_cannot_be_written_is_an_error_and_not_a_silence, *label("O8")) {
    const TempFolder folder;
    BOOST_CHECK_EXCEPTION(
        Log().open({false, folder.file("not/there")}), std::runtime_error,
        [](const std::runtime_error& error) {
            return std::string(error.what()).starts_with("audit_file /");
        });
}

BOOST_AUTO_TEST_CASE(syslog_gets_what_stderr_would_and_security_events_as_authpriv, *label("O8")) {
    const SyslogDaemon daemon;
    if (!daemon.made) {
        BOOST_TEST_MESSAGE("not run: another process has /dev/log here");
        return;
    }
    const CapturedLog captured;
    Log log;
    log.open({true, {}});
    log.event("request", {{"why", "50%s\nforged"}});
    log.audit("deny", {});
    const auto line = daemon.next();
    BOOST_TEST(line.starts_with("<29>")); // daemon.notice
    BOOST_TEST(line.find("consentgate: event=request pid=") != std::string::npos);
    BOOST_TEST(line.find("50%s") != std::string::npos);
    BOOST_TEST(line.find('\n') == std::string::npos);
    BOOST_TEST(daemon.next().starts_with("<85>")); // authpriv.notice
    BOOST_TEST(captured.text().empty());
}

BOOST_AUTO_TEST_SUITE_END()
