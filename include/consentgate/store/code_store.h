// Authorization codes. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/refresh.h"
#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>

namespace consentgate::store {

class Database;

class CodeStore {
public:
    explicit CodeStore(Database& db) : db_(db) {}

    std::optional<core::CodeView> find(const core::Digest& hash);
    // Marks the code as redeemed; the row stays until its session is swept, so that a replay is
    // recognised. no: it was redeemed before, or has expired.
    // in: redemption  a fresh id that tells this redemption from another one
    //     refresh     the first refresh token of the session, which then lasts as long as that;
    //                 absent when the client gets none
    Applied redeem(
        const core::Digest& hash, const std::string& redemption,
        const std::optional<core::RefreshToken>& refresh, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
