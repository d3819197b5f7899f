// The log: one event a line, key=value, stable names, on stderr or to syslog. Values are quoted and
// stripped of control characters, so that nothing a client sends can forge a line. A core::Secret
// cannot be passed in: it does not convert to text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace consentgate::sys {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

struct LogPlaces {
    bool syslog = false;      // in place of stderr
    std::string audit_file{}; // empty: none; security events are also appended to this file
};

class Log {
public:
    // in: file  descriptor that takes the lines unless they go to syslog; stderr in a program
    explicit Log(int file = 2);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // Changes where lines go from now on. Call it before the fork, and again at each reload, so
    // that a new audit file begins after the old one was moved away.
    // fail: throws std::runtime_error when the audit file cannot be written; the places stay as
    //       they were
    void open(const LogPlaces& places);

    void event(std::string_view name, Fields fields) const;

    // An action an operator may have to account for later: a client was admitted or refused, a
    // session ended, a key was used. Writes a line `event=audit what=ACTION …` to the log (facility
    // authpriv in syslog) and to the audit file.
    void audit(std::string_view action, Fields fields) const;

private:
    void write(int facility, const std::string& words) const;

    int file_;
    int audit_file_ = -1;
    bool syslog_ = false;
};

} // namespace consentgate::sys
