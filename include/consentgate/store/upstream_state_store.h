// People on the way to a service and back. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/upstream/service.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>

namespace consentgate::store {

class Database;

class UpstreamStateStore {
public:
    explicit UpstreamStateStore(Database& db) : db_(db) {}

    void put(const core::UpstreamState& state);
    std::optional<core::UpstreamState> find(const core::Digest& state);
    // Whether this browser was sent to the service and has not come back.
    bool has(const core::Digest& browser, const core::ServiceId& service);
    // Deletes it. no: it was consumed before, or has expired.
    Applied consume(const core::Digest& state, core::Instant now);
    // Marks a link for connecting later as used. no: it was used before.
    // in: use  a fresh id that tells this use from another one
    Applied use_link(const core::Digest& link, core::Instant expires_at, const std::string& use);

private:
    Database& db_;
};

} // namespace consentgate::store
