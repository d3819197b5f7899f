// Asking a service's token endpoint. Private to this module.
#pragma once

#include "service_turn.h"

#include <functional>

namespace consentgate::usecase {

struct TokenAnswer {
    core::TokenReply reply;
    bool without_resource = false; // it gave tokens only when it was sent no `resource`
};

// A service that refuses `resource` is asked once more without it: some providers know no such
// parameter at their token endpoint.
// in:   service  with the registration of ours that is to be used
//       request  made anew for each time
TokenAnswer ask_for_tokens(
    ServiceTurn& turn, const core::Service& service, sys::PlaceKind purpose,
    const std::function<core::ServiceRequest(const core::Service&)>& request);

// Remembers what an answer with tokens shows about the service: that it knows us, and takes no
// `resource`. Call it when the tokens are saved, because a write that fails must not lose them.
// in:   stored  the service as it was read; asked  with the registration that was used
void note_good_answer(
    Dependencies& deps, const core::Service& stored, const core::Service& asked,
    const TokenAnswer& answer);

} // namespace consentgate::usecase
