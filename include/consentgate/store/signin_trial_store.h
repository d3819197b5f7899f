// Links of the operator where somebody signs in on trial. in, out, fail, threads: as store.h says
// for all stores.
#pragma once

#include "consentgate/core/signin/signin_trial.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>

namespace consentgate::store {

class Database;

class SigninTrialStore {
public:
    explicit SigninTrialStore(Database& db) : db_(db) {}

    void put(const core::SigninTrial& trial);
    std::optional<core::SigninTrial> find(const core::Digest& link);
    // no: it was opened before, has expired, or is not known.
    Applied open(const core::Digest& link, core::Instant now);
    // Writes the report and its key. no: there is one already, or the link is gone
    Applied report(const core::SigninTrial& trial);
    Applied remove(const core::Digest& link);

private:
    Database& db_;
};

} // namespace consentgate::store
