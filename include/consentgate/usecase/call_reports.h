// The web server's reports of calls that the gate let pass. It alone sees the answers.
// spec: docs/requirements.md P32, M3
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <string_view>

namespace consentgate::usecase {

// A refusal of the person's token is noted with the account; every other answer changes nothing.
// in:  line  of the web server's log
// out: false: it is no report
bool note_call_report(Dependencies& deps, std::string_view line, core::Instant now);

} // namespace consentgate::usecase
