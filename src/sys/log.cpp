#include "consentgate/sys/log.h"

#include "consentgate/core/base/text.h"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace consentgate::sys {
namespace {

constexpr std::size_t max_value_bytes = 300; // bytes

struct Places {
    bool syslog = false;
    int audit = -1;
};
Places places; // of this process and those it forks

void add_value(std::string& words, std::string_view value) {
    value = value.substr(0, max_value_bytes);
    const bool bare = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
    });
    if (bare)
        words.append(value);
    else
        words.append("\"").append(core::plain_ascii(value)).append("\"");
}

std::string words_of(std::string_view event, Fields fields) {
    std::string words;
    words.reserve(400);
    words.append("event=").append(event).append(" pid=").append(std::to_string(::getpid()));
    for (const auto& [name, value] : fields) {
        words.append(" ").append(name).append("=");
        add_value(words, value);
    }
    return words;
}

// "2026-11-24T09:30:00.123Z"
std::string time_of_day() {
    using namespace std::chrono;
    const auto at = system_clock::now();
    const auto second = floor<seconds>(at);
    const std::time_t clock = system_clock::to_time_t(second);
    std::tm parts{};
    ::gmtime_r(&clock, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(
        text.data() + length, text.size() - length, ".%03dZ",
        static_cast<int>(duration_cast<milliseconds>(at - second).count()));
    return text.data();
}

// One write per line, so that lines of several workers do not mix.
void write_line(int file, const std::string& words) {
    const auto line = time_of_day() + " " + words + "\n";
    if (::write(file, line.data(), line.size()) < 0) return; // there is nowhere left to say so
}

void write_log(int facility, const std::string& words) {
    if (places.syslog)
        ::syslog(facility | LOG_NOTICE, "%s", words.c_str()); // which knows the time itself
    else
        write_line(STDERR_FILENO, words);
}

} // namespace

void open_log(const LogPlaces& wanted) {
    const int audit =
        wanted.audit_file.empty()
            ? -1
            : ::open(wanted.audit_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (audit < 0 && !wanted.audit_file.empty())
        throw std::runtime_error("audit_file " + wanted.audit_file + ": cannot be written");
    if (places.audit >= 0) ::close(places.audit);
    places = {wanted.syslog, audit};
    if (places.syslog) ::openlog("consentgate", 0, LOG_DAEMON);
}

void log_event(std::string_view event, Fields fields) {
    write_log(LOG_DAEMON, words_of(event, fields));
}

void log_audit(std::string_view what, Fields fields) {
    const auto words = words_of("audit what=" + std::string(what), fields);
    write_log(LOG_AUTHPRIV, words);
    if (places.audit >= 0) write_line(places.audit, words);
}

} // namespace consentgate::sys
