#include "consentgate/sys/log.h"

#include "consentgate/core/text.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace consentgate::sys {
namespace {

constexpr std::size_t longest_value = 300; // bytes

struct Places {
    bool syslog = false;
    int audit = -1;
};
Places places; // of this process and those it forks

std::string quoted(const std::string& value) {
    const auto safe = core::plain_ascii(value.substr(0, longest_value));
    const bool bare = !safe.empty() && safe.find_first_of(" =") == std::string::npos;
    return bare ? safe : "\"" + safe + "\"";
}

std::string words_of(std::string_view event, Fields fields) {
    std::string words = "event=" + std::string(event) + " pid=" + std::to_string(::getpid());
    for (const auto& [name, value] : fields) words += " " + std::string(name) + "=" + quoted(value);
    return words;
}

// One write per line, so that lines of several workers do not mix.
void write_line(int file, const std::string& words) {
    const auto line = Poco::DateTimeFormatter::format(Poco::Timestamp(), "%Y-%m-%dT%H:%M:%S.%iZ") + " " + words + "\n";
    if (::write(file, line.data(), line.size()) < 0) return; // there is nowhere left to say so
}

void write_log(int facility, const std::string& words) {
    if (places.syslog) ::syslog(facility | LOG_NOTICE, "%s", words.c_str()); // which knows the time itself
    else write_line(STDERR_FILENO, words);
}

} // namespace

void open_log(const LogPlaces& wanted) {
    const int audit = wanted.audit_file.empty() ? -1 : ::open(wanted.audit_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (audit < 0 && !wanted.audit_file.empty()) throw std::runtime_error("audit_file " + wanted.audit_file + ": cannot be written");
    if (places.audit >= 0) ::close(places.audit);
    places = {wanted.syslog, audit};
    if (places.syslog) ::openlog("consentgate", 0, LOG_DAEMON);
}

void log_event(std::string_view event, Fields fields) { write_log(LOG_DAEMON, words_of(event, fields)); }

void log_audit(std::string_view what, Fields fields) {
    auto words = "event=audit what=" + std::string(what) + words_of("", fields).substr(6);
    write_log(LOG_AUTHPRIV, words);
    if (places.audit >= 0) write_line(places.audit, words);
}

} // namespace consentgate::sys
