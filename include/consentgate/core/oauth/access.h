// Whether a token may be used at a resource now: one rule for every gate.
// spec: RFC 6750 section 3.1; docs/requirements.md C1 to C5, RS4
#pragma once

#include "consentgate/core/oauth/consent.h"

#include <optional>
#include <string>

namespace consentgate::core {

// A session with the standing of those it rests on, as read in one statement.
struct SessionView {
    Session session;
    std::string client_name;
    bool client_active = false;
    std::optional<VirtualKey>
        virtual_key; // of a session whose identity is one; absent when the key was deleted
};

// The granted scopes, and all that they imply, are enough (C7).
// fail: insufficient_scope: what it takes is more than that. The challenge then names all of it at
//       once (C6).
Checked check_scope(const Session& session, const ScopeSet& needed, const Policy& policy);

// The session lasts, so that its tokens may be used.
// fail: invalid_bearer: it was revoked or has expired, or its client or virtual key is not active
Checked check_session(const SessionView& view, Instant now);

// The redirect URI alone allows the reuse of a consent: no other program can be at the address, or
// the operator permits all. A program on the person's computer could be any program.
// spec: OAuth 2.1 section 7.3.1; docs/requirements.md U7 to U9
bool may_be_reused(const Flow& flow, const Policy& policy);
// The person need not be asked again: the redirect URI allows it, the same browser gave the same
// client the same resource and no smaller scope, and the session of that consent lasts.
bool may_reuse_consent(
    const SessionView& earlier, const Flow& flow, const Policy& policy, Instant now);

// fail: invalid_bearer: unknown, expired, revoked, for another resource, or its client or virtual
//       key no longer stands
Checked check_access(
    const std::optional<SessionView>& view, const std::string& resource, Instant now);

} // namespace consentgate::core
