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

// Both of the next two do nothing when there is nothing to end, so that a second press of the
// button gets the answer of the first.

// in:   session  absent: all of their own
// out:  how many were ended
std::size_t end_own_sessions(
    Dependencies& deps, const std::optional<core::SessionId>& session,
    const BrowserContext& browser_context, core::Instant now);
// The linked account is its owner's: that of a virtual key or a verified user ends for all of their
// sessions.
void disconnect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    const BrowserContext& browser_context, core::Instant now);

// The living sessions of everyone, newest first, at most 1000; for the operator.
std::vector<core::SessionView> list_sessions(Dependencies& deps, core::Instant now);

// Ends a session, with its tokens and the linked accounts that are its alone. Their services are
// asked to revoke at once where `deps` can reach them, otherwise by an idle worker of the server.
// fail: not_found: there is no such session, or it has ended before
core::Checked end_session(Dependencies& deps, const core::SessionId& session, core::Instant now);

} // namespace consentgate::usecase
