// Refresh tokens, and the access tokens that a refresh gives. in, out, fail, threads: as store.h
// says for all stores.
#pragma once

#include "consentgate/core/oauth/refresh.h"
#include "consentgate/store/failure.h"

#include <optional>

namespace consentgate::store {

class Database;

class TokenStore {
public:
    explicit TokenStore(Database& db) : db_(db) {}

    std::optional<core::RefreshView> find_refresh(const core::Digest& hash);
    // Marks the token as used, writes its successor and the access token that comes with it, and
    // lets the session last as long. no: it was used meanwhile.
    Applied rotate_refresh(const core::Rotation& rotation, core::Instant now);
    // Counts a late answer to a used token. no: there were as many as there may be.
    Applied count_late_repeat(const core::Digest& used);
    // Inserts an access token for a rotation that was made already, unless the token is there.
    void put_access(const core::AccessToken& token);
    // Ends one access token; the session's other tokens stay. no: it is unknown or has ended.
    Applied revoke_access(const core::Digest& token, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
