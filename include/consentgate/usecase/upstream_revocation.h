// Telling services that what a person connected there is over (RFC 7009).
//
// However a token ends, it ends in the transaction that ends what it belongs to, and its row waits
// there until the service was told: at once when a person asked for it, else by an idle worker. A
// lease in the row lets one worker of all machines tell.
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <functional>
#include <string>

namespace consentgate::usecase {

// Takes a connection away: here at once, and at the service now or, when that is away, later.
void disconnect(Dependencies& deps, const core::LinkedAccount& token, core::Instant now);

// Tells the service of a token that has ended just now; nothing when another is at it, or the
// service is away.
// in: token  as it was before
void revoke_now(Dependencies& deps, const core::LinkedAccount& token, core::Instant now);

// What came of telling a service that everything at it is over.
struct ServiceRevocation {
    std::size_t revoked = 0;
    std::size_t not_revoked = 0; // and never will be: `why` says why of the last
    std::size_t left = 0;        // to be told later, by whoever comes to it
    std::string reason;          // for the operator; also of what is left
};

// Ends all that people connected at the service, and tells it of each: one after another, without
// regard to an earlier pause, until all is told, the service turns out to be away, or `go_on` says
// no. What others are telling it of just then is waited for.
// in: go_on  asked before each
ServiceRevocation revoke_all_at(
    Dependencies& deps, const core::ServiceId& service,
    const std::function<bool(const ServiceRevocation&)>& go_on);

// One bounded turn over what is to be told: some tokens, some seconds, and no second request to a
// service that does not answer.
// out: how many rows are done with
std::size_t revoke_ended_accounts(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
