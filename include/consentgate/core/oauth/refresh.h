// Refresh tokens: rotated at each use, one family per session, which ends when a used one comes
// back too late.
// spec: OAuth 2.1 section 4.3; RFC 9700 section 4.14.2; docs/requirements.md T18, T20-T28, XE4
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/core/oauth/access.h"

#include <optional>

namespace consentgate::core {

// As stored. Its successor is computed from it, so a used one need not know it.
struct RefreshToken {
    Digest hash;
    SessionId session_id;
    KeyId key_id; // the server key its successor is computed with
    Instant expires_at{};
    std::optional<Instant> used_at; // kept after use, so that its coming back is seen
    std::int64_t late_repeats{};    // how often it was answered again after that moment
};

struct AccessToken {
    Digest hash;
    SessionId session_id;
    ScopeSet scope;
    Instant expires_at{};
};

// A refresh token with the session of its family.
struct RefreshView {
    RefreshToken token;
    SessionView session;
};

struct RefreshRequest {
    ClientId client_id;
    Secret token;
    std::optional<ScopeSet> scope;
    std::optional<std::string> resource;
};

// in:   client  who sends it, as it proved
// fail: invalid_request (missing, repeated), invalid_target, invalid_scope
Result<RefreshRequest> parse_refresh(const TokenRequest& sent, const ClientId& client);

// rotate: the first use. repeat: the client used it a moment ago, in another process or with a
// response that was lost, and is led to the newest token. late_repeat: it comes later, but within
// the grace, as from a process that slept: may_repeat_late decides. reuse: there is a stolen copy,
// and the whole family is revoked.
enum class RefreshUse { rotate, repeat, late_repeat, reuse };

// Checks in an order in which a sender who is not the client can consume and revoke nothing.
// fail: invalid_grant, invalid_scope, invalid_target
Result<RefreshUse> validate_refresh(
    const RefreshRequest& request, const std::optional<RefreshView>& found, const Policy& policy,
    Instant now);

// A used token is answered late so often at most, so that a copy is not of use for long.
inline constexpr std::int64_t max_late_repeats = 5;

// Whether a late repeat gets the token's immediate successor: nobody has used it, so the family
// still ends in one token, whoever holds it.
// in:   successor  as stored; absent when it is not there
bool may_repeat_late(const RefreshToken& used, const std::optional<RefreshView>& successor);

// The refresh token that a session begins with, when the code that made it is redeemed. Absent when
// the client did not register for it, the policy has none, or the key is gone.
struct NewRefreshToken {
    Secret secret;
    RefreshToken token;
};
std::optional<NewRefreshToken> first_refresh_token(
    const IssuedCode& code, const Secret& secret, const Session& session, bool registered,
    const Keyring& keyring, const Policy& policy, Instant now);

// The rows that one rotation writes.
struct Rotation {
    Digest used;
    KeyId key_id; // of the used one: what follows was computed with it
    RefreshToken next;
    AccessToken access;
};
struct Rotated {
    TokenGrant granted;
    Rotation rotation;
};

// in:   token  in clear, of found
// out:  absent when a server key it needs is not in the key file
std::optional<Rotated> rotate(
    const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope,
    const Keyring& keyring, const Policy& policy, Instant now);

// The answer to a token that was used: what its rotation gave, and another access token if the time
// of that one is over. A revoked one is not replaced before its time.
// in, out: as for rotate
std::optional<Rotated> repeat_rotation(
    const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope,
    const Keyring& keyring, const Policy& policy, Instant now);

} // namespace consentgate::core
