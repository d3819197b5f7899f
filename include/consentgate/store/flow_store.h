// Flows: consents in progress. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/core/upstream/service.h"
#include "consentgate/store/failure.h"

#include <cstdint>
#include <optional>
#include <vector>

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
    // Sets who the person is and raises the revision. The accounts that were linked in the flow
    // end when they were another's. no: the flow was finished, denied or changed meanwhile, or
    // has expired.
    Applied choose_identity(
        const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
        core::Instant now);
    // Sets the resource and the scopes of the flow at its revision, and raises that. no: as
    // choose_identity
    Applied choose_resource(const core::Flow& flow, core::Instant now);
    // One transaction consumes the flow, creates the session, moves the linked accounts to its
    // owner and issues the code. no: the flow is not as it was validated: it was finished or
    // denied, has expired, its identity changed, or an account was linked.
    // in: accounts  of the flow, by service, read at the revision that was validated or later, and
    //               sealed for the session's owner; those with ended_at are ended instead
    Applied finalize(
        const core::Finalization& finalization,
        const std::vector<core::LinkedAccount>& accounts = {});
    // Marks the flow as denied and ends the accounts that were linked during it. no: it was
    // finished or denied before, or has expired.
    Applied deny(const core::FlowId& id, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
