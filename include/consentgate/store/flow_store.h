// Flows: consents in progress. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <cstdint>
#include <optional>

namespace consentgate::store {

class Database;

class FlowStore {
public:
    explicit FlowStore(Database& db) : db_(db) {}

    void put(const core::Flow& flow);
    std::optional<core::FlowView> find(const core::FlowId& id);
    // The browser that finished this flow; absent when the flow was never finished, or its session
    // has been swept since.
    std::optional<core::Digest> find_finalized(const core::FlowId& id);
    // Sets who the person is and raises the revision. no: the flow was finished, denied or changed
    // meanwhile, or has expired.
    Applied choose_identity(
        const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
        core::Instant now);
    // One transaction consumes the flow, creates the session, moves the linked accounts to its
    // owner and issues the code. no: the flow is not as it was validated: it was finished or
    // denied, has expired, or its identity changed.
    Applied finalize(const core::Finalization& finalization);
    // Deletes the flow and ends the accounts that were linked during it.
    Applied deny(const core::FlowId& id, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
