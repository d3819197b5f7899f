// A person's own sessions: of the browser in which they consented, and of the verified user, where
// the web server says who that is.
#pragma once

#include "consentgate/usecase/upstream.h"

#include <optional>
#include <vector>

namespace consentgate::usecase {

struct OwnSession {
    core::SessionView view;
    std::vector<ServiceView> services; // those with a connection
};

std::vector<OwnSession> list_own_sessions(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now); // newest first

// Each answers alike whether there was something to end or not: who asks twice has what they
// wanted.
// in: form  session_id; absent for end_session: all of their own
// out: how many were ended
std::size_t end_own_sessions(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);
// in: form  session_id and mcp_client_id. The connection is its owner's: with a key or a proven
//           user, it ends for all their sessions.
void disconnect_own_service(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);

// Ends a session, with the connections that are its alone.
store::Applied end_session(Dependencies& deps, const core::Session& session, core::Instant now);

} // namespace consentgate::usecase
