// A person's own sessions: of the browser in which they consented, and of the verified user, where
// the web server says who that is.
#pragma once

#include "consentgate/usecase/upstream.h"

#include <functional>
#include <optional>
#include <vector>

namespace consentgate::usecase {

struct OwnSession {
    core::SessionView view;
    // Those with a connection; none for the person who is signed in, see list_own_accounts.
    std::vector<ServiceView> services;
};

std::vector<OwnSession> list_own_sessions(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now); // newest first

// The accounts of the person who is signed in at a provider: once, for all of their sessions,
// and also when none is left.
// spec: docs/requirements_signin.md SI81
std::vector<ServiceView> list_own_accounts(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now);

// The next three do nothing when there is nothing to end, so that a second press of the button gets
// the answer of the first.

// in:   session  absent: all of their own
// out:  those that were ended
// fail: not_found: somebody is signed in at a provider, and it is no session of theirs
core::Result<std::vector<core::Session>> end_own_sessions(
    Dependencies& deps, const std::optional<core::SessionId>& session,
    const BrowserContext& browser_context, core::Instant now);
// The linked account is its owner's: that of a virtual key or a verified user ends for all of their
// sessions.
// out:  the session at which it was ended; absent when there was nothing to end
// fail: as end_own_sessions
core::Result<std::optional<core::Session>> disconnect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    const BrowserContext& browser_context, core::Instant now);
// The same for the person who is signed in, without a session. out: whether there was one to end
bool disconnect_own_account(
    Dependencies& deps, const core::ServiceId& service, const BrowserContext& browser_context,
    core::Instant now);

// Sends the person to the service, to link an account for a session of theirs, as connect_in_flow
// does for a flow.
// fail: not_found: it is no session of theirs, or it is over; unknown_service
core::Result<core::Secret> connect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    core::WhichAccount which, const BrowserContext& browser_context, core::Instant now);

// The next three are for the operator.

// The living sessions that fit the filter, newest first.
std::vector<core::SessionView> list_sessions(
    Dependencies& deps, core::Instant now, const core::SessionFilter& filter = {},
    std::size_t limit = 1000);

// Ends a session, with its tokens and the linked accounts that are its alone. Their services are
// asked to revoke at once where `deps` can reach them, otherwise by an idle worker of the server.
// out:  as it was
// fail: not_found: there is no such session, or it has ended before
core::Result<core::Session> end_session(
    Dependencies& deps, const core::SessionId& session, core::Instant now);

// A session, and the accounts that it has: its own, or those of whom it is for.
struct FoundSession {
    core::SessionView view;
    std::vector<core::LinkedAccount> accounts;
};
// fail: not_found
core::Result<FoundSession> find_session(Dependencies& deps, const core::SessionId& id);

// in: by  "operator" or "provider"
void audit_session_end(Dependencies& deps, const core::Session& session, std::string_view by);

// Ends every session that fits the filter and was there when this began, in batches, and audits
// each; an idle worker of the server asks the services to revoke. It can be stopped between two
// batches.
// in:  after_batch  gets how many have ended so far
//      by           as audit_session_end
// out: how many ended
std::size_t end_sessions(
    Dependencies& deps, const core::SessionFilter& filter, core::Instant now,
    const std::function<void(std::size_t)>& after_batch, std::string_view by = "operator");

// Ends the accounts that were linked for a virtual key or a verified user, and that outlive their
// sessions. Their services are asked to revoke as in end_session.
// out: how many ended
std::size_t end_linked_accounts(Dependencies& deps, const core::Owner& owner, core::Instant now);

} // namespace consentgate::usecase
