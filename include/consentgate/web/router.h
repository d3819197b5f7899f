// The route table, and the one place where a request is answered whatever happens.
#pragma once

#include "consentgate/web/answer.h"

namespace consentgate::web {

// Finds the route, runs its handler, turns errors and exceptions into replies, and logs one line.
// fail: never throws; an unexpected exception becomes 500 with an event id
Reply dispatch(const Request& request, WebContext& context);

} // namespace consentgate::web
