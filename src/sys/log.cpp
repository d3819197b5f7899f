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

constexpr std::size_t max_value_bytes = 300;

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
    if (::write(file, line.data(), line.size()) < 0) return; // no place is left to report it
}

} // namespace

Log::Log(int file) : file_(file) {}

Log::~Log() {
    if (audit_file_ >= 0) ::close(audit_file_);
}

void Log::open(const LogPlaces& places) {
    const int audit =
        places.audit_file.empty()
            ? -1
            : ::open(places.audit_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (audit < 0 && !places.audit_file.empty())
        throw std::runtime_error("audit_file " + places.audit_file + ": cannot be written");
    if (audit_file_ >= 0) ::close(audit_file_);
    audit_file_ = audit;
    syslog_ = places.syslog;
    if (syslog_) ::openlog("consentgate", 0, LOG_DAEMON);
}

void Log::write(int facility, const std::string& words) const {
    if (syslog_)
        ::syslog(facility | LOG_NOTICE, "%s", words.c_str()); // syslog adds the time itself
    else
        write_line(file_, words);
}

void Log::event(std::string_view name, Fields fields) const {
    write(LOG_DAEMON, words_of(name, fields));
}

void Log::audit(std::string_view action, Fields fields) const {
    const auto words = words_of("audit what=" + std::string(action), fields);
    write(LOG_AUTHPRIV, words);
    if (audit_file_ >= 0) write_line(audit_file_, words);
}

} // namespace consentgate::sys
