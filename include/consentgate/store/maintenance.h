// Upkeep of the whole database. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <cstddef>

namespace consentgate::store {

class Database;

class Maintenance {
public:
    explicit Maintenance(Database& db) : db_(db) {}

    // Deletes what has been expired for long enough, at most `limit` rows of each kind, and clients
    // that were created before `unused_since` and never used. Ends the linked accounts of the flows
    // and sessions among it, and of virtual keys that are disabled or have expired.
    core::Swept sweep(core::Instant now, core::Instant unused_since, std::size_t limit);
    int schema_version(); // 0 when there is no schema

private:
    Database& db_;
};

} // namespace consentgate::store
