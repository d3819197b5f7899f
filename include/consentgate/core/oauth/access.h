// Whether a token may be used at a resource now: one rule for every gate.
// spec: RFC 6750 section 3.1; docs/requirements.md C1 to C5, RS4
#pragma once

#include "consentgate/core/oauth/consent.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace consentgate::core {

// The person of an identity that signed in at a provider, as far as every request needs to know.
struct PersonMark {
    PersonId id;
    std::int64_t version = 0; // of the snapshot by which rights are decided
    std::optional<Instant> disabled_at{};
    bool idp_active = false; // false too when the provider was removed
    std::string name{};      // for people

    bool stands() const { return idp_active && !disabled_at; }
};

// Rights rest on this beside the session itself.
// spec: docs/requirements_signin.md SI68
struct AccessStanding {
    std::int64_t policy_version = 0;    // of the rules; 0: none was ever written
    std::optional<PersonMark> person{}; // absent: nobody who signed in at a provider, or forgotten
};

// A session with the standing of those it rests on, as read in one statement.
struct SessionView {
    Session session;
    std::string client_name;
    bool client_active = false;
    std::optional<VirtualKey>
        virtual_key; // of a session whose identity is one; absent when the key was deleted
    AccessStanding standing{};
    std::optional<Instant> auth_time{}; // of its sign-in, where the provider said it
};

// The living sessions of one kind of identity.
struct SessionCount {
    IdentityKind kind = IdentityKind::none;
    std::size_t sessions = 0;
};

// The granted scopes, and all that they imply, are enough (C7).
// fail: insufficient_scope: what it takes is more than that; see missing_scope
Checked check_scope(const Session& session, const ScopeSet& needed, const Policy& policy);

// Explains a refusal by check_scope. Many clients sign in anew for exactly the scopes that it
// names, so it names those that the session has and may keep, too: such a client would lose them,
// and be refused for their want at its next call.
// spec: docs/requirements.md P15, P17; MCP 2026-07-28 Authorization, Step-Up
// in:   obtainable  the scopes that the session's client may be granted at most
// out:  insufficient_scope with NeededScope; forbidden: no sign-in of this client gives them
Error missing_scope(
    const Session& session, const ScopeSet& needed, const ScopeSet& obtainable,
    const Policy& policy);

// The session lasts: its person may see it, and end it.
// fail: invalid_bearer: it was revoked or has expired, or its client or virtual key is not active
Checked check_lasts(const SessionView& view, Instant now);
// The person that the identity signed in as still stands: neither disabled nor forgotten, and their
// identity provider is not switched off. Every other identity stands.
// fail: invalid_bearer
Checked check_person(const Identity& identity, const AccessStanding& standing);
// It lasts, and its identity and person may come in, so that its tokens may be used.
// fail: as check_lasts; invalid_bearer: the operator does not let such an identity in
Checked check_session(const SessionView& view, const Policy& policy, Instant now);

// The flow has a resource, and its redirect URI allows the reuse of a consent: no other program can
// be at the address, or the operator permits all. A program on the person's computer could be any
// program.
// spec: OAuth 2.1 section 7.3.1; docs/requirements.md U7 to U9
bool may_be_reused(const Flow& flow, const Policy& policy);

// How the browser came to begin a flow. opened: by the person, or by a program on their computer.
// linked: from a page, or unknown. Our own pages count as pages, because a foreign link may have
// led to them.
enum class Arrival { opened, linked };
// A flow that has just begun may offer an earlier consent. Hosted clients share one client_id among
// all their users, so whoever follows a link could consent for the session of whoever wrote it.
// in:   prompt  of the request: `consent` asks everything
// spec: docs/requirements.md XA5
bool may_offer_reuse(
    const Flow& flow, Arrival arrival, const std::optional<std::string>& prompt,
    const Policy& policy);
// The person need not be asked everything again: the redirect URI allows it, the same browser gave
// the same client the same resource and no smaller scope, and the session of that consent lasts.
bool may_reuse_consent(
    const SessionView& earlier, const Flow& flow, const Policy& policy, Instant now);

// in:   view  null: the token is unknown
// fail: invalid_bearer: unknown, expired, revoked, for another resource, or its client or virtual
//       key no longer stands, or the operator does not let its identity in
Checked check_access(
    const SessionView* view, const std::string& resource, const Policy& policy, Instant now);
inline Checked check_access(
    const std::optional<SessionView>& view, const std::string& resource, const Policy& policy,
    Instant now) {
    return check_access(view ? &*view : nullptr, resource, policy, now);
}

} // namespace consentgate::core
