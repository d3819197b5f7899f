// Sessions, each found by its id or by any of its access tokens. in, out, fail, threads: as store.h
// says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;
template <class Value> class Recent;

struct EndedSessions {
    std::vector<core::Session> sessions;
    std::optional<std::string> last; // id up to which the batch went
};

struct SessionUse {
    core::SessionId session;
    core::Instant at{};
    std::string from{}; // a coarse address; empty: what is there stays
};

class SessionStore {
public:
    SessionStore(Database& db, std::size_t max_cached);
    ~SessionStore();

    std::optional<core::SessionView> find(const core::SessionId& id);
    // By an access token; scope and token_expires_at are then that token's.
    std::optional<core::SessionView> find(const core::Digest& token);
    // The same without a copy of what is remembered. Null: unknown.
    std::shared_ptr<const core::SessionView> find_shared(const core::Digest& token);
    // Those that are alive and fit the filter, newest first.
    std::vector<core::SessionView> list(
        core::Instant now, const core::SessionFilter& filter = {}, std::size_t limit = 1000);
    // How many are alive, for each kind of identity that has any.
    std::vector<core::SessionCount> count_by_identity(core::Instant now);
    // The latest sessions, not revoked, by which this browser consented to this client, newest
    // first, at most 10.
    std::vector<core::SessionView> list_consents(
        const core::Digest& browser, const core::ClientId& client);
    // Every session that this browser consented to and that is alive, newest first, at most 100.
    std::vector<core::SessionView> list_of_browser(const core::Digest& browser, core::Instant now);
    // The same of a person who signed in at an identity provider, whatever their browser.
    std::vector<core::SessionView> list_of_person(const core::PersonId& person, core::Instant now);
    // Ends the linked accounts that are this session's alone, too.
    Applied revoke(const core::SessionId& id, core::Instant now);
    // The same for those that are alive and fit the filter, in the order of their ids, in one
    // transaction for at least `limit` of them.
    // in:  after  the last id of the batch before; empty at first
    // out: no `last` when no batch is left
    EndedSessions revoke_some(
        const core::SessionFilter& filter, const std::string& after, core::Instant now,
        std::size_t limit);
    // Writes those that are later than what is there.
    void record_uses(std::span<const SessionUse> uses);

private:
    Database& db_;
    std::unique_ptr<Recent<std::shared_ptr<const core::SessionView>>> recent_; // by token
};

} // namespace consentgate::store
