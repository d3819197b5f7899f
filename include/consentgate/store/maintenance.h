// Upkeep of the whole database. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/base/schema.h"
#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <optional>

namespace consentgate::store {

class Database;

class Maintenance {
public:
    explicit Maintenance(Database& db) : db_(db) {}

    // Deletes what has been expired for long enough, at most `limit` rows of each kind, clients
    // that were created before `unused_since` and never used, and clients that registered
    // themselves, were last used before `idle_since`, and have no flow and no living session left.
    // Ends the linked accounts of the flows and sessions among it, and of virtual keys that are
    // disabled or have expired.
    // in: idle_since  absent: clients that were used stay
    core::Swept sweep(
        core::Instant now, core::Instant unused_since, std::size_t limit,
        std::optional<core::Instant> idle_since = std::nullopt);
    core::Schema schema();
    int schema_version() { return schema().version; } // 0 when there is no schema
    // Commits a row that is gone again when it is committed: whatever else cannot be written cannot
    // be written here. no: another writer held the lock all the time, so something can be.
    // in: fresh  a digest that no row has
    Applied try_to_write(const core::Digest& fresh, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
