// Handing out the fresh token of a linked account. spec: RFC 8693; docs/requirements.md S9
#pragma once

#include "consentgate/core/upstream/account_doubt.h"
#include "consentgate/core/upstream/token_exchange.h"
#include "consentgate/usecase/client_auth.h"

#include <optional>
#include <string>

namespace consentgate::usecase {

struct FreshToken {
    core::Secret access_token;
    std::optional<core::Instant> expires_at; // absent: the service did not say
    std::string scope;
    core::CalledAccount called{}; // whose it is
};

// The token at the service of the session's owner. A token that is due is refreshed first: by one
// worker of all machines, while the others wait for its result.
// in:   found    the linked account, where it was just read; absent: it is read
//       refused  the hash (core::is_hash_of) of a token that the service refused: if it is the
//       stored one, that is
//                refreshed first
// fail: interaction_required: there is none, or it must be linked anew; the error holds the link
//       service_unavailable: the token has expired, and the service does not answer
//       forbidden: the service refuses each new token, so for some minutes none is given
core::Result<FreshToken> fresh_upstream_token(
    Dependencies& deps, const core::Session& session, const core::Service& service,
    core::Instant now, std::optional<core::LinkedAccount> found = std::nullopt,
    const std::optional<std::string>& refused = std::nullopt);

// The answer's JSON.
// fail: invalid_client; invalid_request, also for a subject_token that is not valid (RFC 8693
//       section 2.2.2); invalid_target;
//       interaction_required, service_unavailable
core::Result<std::string> exchange_token(
    Dependencies& deps, const core::SentCredentials& sent, const core::ExchangeRequest& request,
    core::Instant now);

} // namespace consentgate::usecase
