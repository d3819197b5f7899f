// The same flows finalized by PostgreSQL's own measuring client.
#pragma once

#include "round.h"
#include "stock.h"

#include <string>

namespace consentgate::bench {

// in:   folder  for its script and its log, which are removed again
//       clients connections, each with a thread of its own
//       flow    what the flows in the database, numbered from 0 to max_flows, look like
// fail: throws when a transaction failed
RoundResult run_pgbench(
    const store::StoreConfig& config, const std::string& folder, int clients,
    const core::Finalization& pattern);

} // namespace consentgate::bench
