// A service says that it does not know us as its client. Private to this module.
#pragma once

#include "service_turn.h"

#include "consentgate/core/upstream/client_refusal.h"

namespace consentgate::usecase {

// Notes it, asks again, or registers anew, as core::step_after_client_refusal says, and logs what
// it did. A client that a newer one has replaced is left as it is.
// in:   refused  the service with the registration that was refused
// out:  what it means for the token that the request was about: `refused` once we registered anew,
//       `odd_refusal` when the service knows us after all, and `client_refused` while we do not
//       know
core::UpstreamError follow_client_refusal(
    Dependencies& deps, ServiceTurn& turn, const core::Service& refused, core::Instant now);

// The service answered us as a client that it knows. Writes only where that is news.
void note_client_known(Dependencies& deps, const core::Service& service);

// A token request with a code that the service never gave: it answers invalid_grant when it knows
// us, and invalid_client when it does not.
core::TokenReply ask_whether_known(
    Dependencies& deps, ServiceTurn& turn, const core::Service& service);

} // namespace consentgate::usecase
