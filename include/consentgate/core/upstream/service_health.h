// How a service does, as the linked accounts there tell. spec: docs/requirements.md XC13
#pragma once

#include "consentgate/core/base/failure_cause.h"
#include "consentgate/core/upstream/service.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace consentgate::core {

struct ServiceHealth {
    ServiceId service;
    std::size_t connected = 0; // accounts that need nothing of their person; `failing` among them
    std::size_t failing = 0;   // whose last refresh failed, and is tried again
    std::size_t needs_person = 0;          // that must be connected again
    std::optional<Instant> last_success{}; // when the service last gave or refreshed a token
    struct Failures {
        FailureCause cause = FailureCause::none;
        std::size_t accounts = 0; // whose last refresh failed so
    };
    std::vector<Failures> failures{}; // of both, by cause
};

} // namespace consentgate::core
