// Start-up checks, health, and sweeping what has expired.
#pragma once

#include "consentgate/sys/write_trials.h"
#include "consentgate/usecase/dependencies.h"

#include <string>

namespace consentgate::usecase {

struct Health {
    bool store_answers = false;
    bool writes = true;  // false: it answers, and takes no writes
    std::string why_not; // when it does not, for the log
    core::Schema schema;
    int expected_version = 0; // of the schema
    core::SchemaFit fit() const { return core::fit_of(schema, expected_version); }
    bool ready() const { return store_answers && core::may_work(fit()) && writes; }
};

// Reads only. Never throws.
Health check_health(Dependencies& deps);
// Also commits a row that is gone again with the commit, unless a worker of this program did within
// the last seconds. Never throws.
Health check_health(Dependencies& deps, sys::WriteTrials& trials, core::Instant now);

// The key file must hold every key that the database was used with. Notes keys that are new to the
// database there; only a server notes those that are not used yet, which records that it knows
// them.
// fail: throws std::runtime_error that names the key and the remedy, StoreFailure
enum class KeyCheck { serving, looking };
void check_server_keys(Dependencies& deps, core::Instant now, KeyCheck check = KeyCheck::serving);

// How long clients that registered themselves stay.
struct ClientLives {
    core::Span unused{7 * 86400}; // since the registration, without a redeemed code
    core::Span idle{30 * 86400};  // since the last use, when no flow and no session is left
};

// One bounded batch.
core::Swept sweep(Dependencies& deps, core::Instant now, const ClientLives& lives);

// When to sweep again: soon while there is more to delete than one batch, so that the sweep keeps
// up with callers at their limits.
core::Span next_sweep_after(const core::Swept& swept);

} // namespace consentgate::usecase
