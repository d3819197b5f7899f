// OAuth clients: registered ones, those an operator entered, and those that a document describes.
// in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/client.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

class ClientStore {
public:
    explicit ClientStore(Database& db) : db_(db) {}

    void put(const core::Client& client);
    // Inserts a client that registered itself. When its caller (`registered_from`) has `limit`
    // clients that were never used, the oldest of them without an open flow gives way. no: none of
    // them is older than `before`.
    // in: limit  0: none
    Applied put_registered(const core::Client& client, std::size_t limit, core::Instant before);
    std::optional<core::Client> find(const core::ClientId& id);
    std::vector<core::Client> list(); // newest first
    Applied disable(const core::ClientId& id);
    Applied enable(const core::ClientId& id);
    // Deletes sign-ins of the client that are under way, at most `limit`. out: how many
    std::size_t remove_flows(const core::ClientId& id, core::Instant now, std::size_t limit);
    // Deletes the client. Its sessions are ended before; their rows wait for their own sweep.
    Applied remove(const core::ClientId& id);
    // How many clients that were never used each caller registered, by its mark.
    std::map<std::string, std::size_t> count_by_caller();
    // Writes last_used_at, and forgets who registered the client.
    void record_use(const core::ClientId& id, core::Instant now);

    // Marks a client's assertion as used. no: it was used before.
    // in: use  a fresh id that tells this use from another one
    Applied use_assertion(
        const core::Digest& assertion, core::Instant expires_at, const std::string& use);

    // Claims the fetching of the keys at a client's jwks_uri; the caller fetches them when the
    // answer is yes. no: another process has claimed it since `before`.
    Applied claim_keys(const core::ClientId& id, core::Instant now, core::Instant before);
    // Writes jwks and jwks_expires_at. no: the client has another jwks_uri by now, or was deleted.
    // in: client  id, jwks_uri, jwks, jwks_expires_at
    Applied save_keys(const core::Client& client);

    // Until when the client's row stands for its document; absent when the client has none.
    std::optional<core::Instant> find_document(const core::ClientId& id);
    // Inserts the client, or changes what its document says of it; `active`, which an operator
    // sets, stays. no: a client of that id exists that no document made.
    Applied put_document(const core::Client& client, core::Instant expires_at);

private:
    Database& db_;
};

} // namespace consentgate::store
