// Revoking the tokens of linked accounts at their services. spec: RFC 7009
//
// A linked account ends in the transaction that ends its owner. Its row stays until the service was
// asked to revoke the tokens: at once when a person asked for it, otherwise by an idle worker. A
// lease in the row makes sure that one worker of all machines asks.
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <functional>
#include <string>

namespace consentgate::usecase {

// Ends a linked account here, and revokes it at the service now, or later when it does not answer.
void disconnect(Dependencies& deps, const core::LinkedAccount& token, core::Instant now);

// Revokes an account that has just ended at its service. Does nothing when another worker does it,
// or when the service does not answer.
// in:  token  as it was before it ended
void revoke_now(Dependencies& deps, const core::LinkedAccount& token, core::Instant now);

// The result of revoking all accounts of a service.
struct ServiceRevocation {
    std::size_t revoked = 0;
    std::size_t not_revoked = 0; // and never will be; `reason` is that of the last
    std::size_t left = 0;        // to be revoked later, by a worker
    std::string reason;          // for the operator; also of what is left
};

// Ends all linked accounts of the service and revokes each there: one after another, without regard
// to an earlier pause, until none is left, the service does not answer, or `go_on` is false. Waits
// for accounts that other workers are revoking.
// in:  go_on  called before each
ServiceRevocation revoke_all_at(
    Dependencies& deps, const core::ServiceId& service,
    const std::function<bool(const ServiceRevocation&)>& go_on);

// One bounded turn over the accounts to be revoked: some accounts, some seconds, and no second
// request to a service that does not answer.
// out: how many rows are finished
std::size_t revoke_ended_accounts(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
