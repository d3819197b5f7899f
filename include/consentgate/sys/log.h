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
    bool syslog = false;    // in place of stderr
    std::string audit_file; // empty: none; security events go there too, for as long as the
                            // operator keeps it
};

// Where lines go from now on; until then, to stderr. Open it before the fork, and again at each
// reload, so that a file that was moved away is begun anew. fail: throws std::runtime_error when
// the audit file cannot be written, and the places stay as they were
void open_log(const LogPlaces& places);

void log_event(std::string_view event, Fields fields);

// What somebody did that an operator may have to account for later: let a client in, refused it,
// ended a session, used a key. A line `event=audit what=WHAT …` of the log (of facility authpriv in
// syslog) and of the audit file.
void log_audit(std::string_view what, Fields fields);

} // namespace consentgate::sys
