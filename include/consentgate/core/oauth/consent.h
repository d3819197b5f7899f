// The rules of one consent: who may act on a flow, who the person says they are, and what finishing
// it writes.
// spec: docs/http.md Consent
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/core/oauth/bearer.h"
#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/oauth/grant.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::core {

struct VirtualKey {
    VirtualKeyId id;
    std::string name; // UTF-8, 1 to 200 characters
    Digest hash;      // of the whole sk-bf-… text
    bool active = true;
    Instant created_at{};
    std::optional<Instant> expires_at; // absent: never
    std::vector<std::string> services; // the only services it may use; empty: all

    bool usable(Instant now) const { return active && (!expires_at || *expires_at > now); }
};

// A flow id in shape: 22 base64url characters. spec: docs/http.md Consent
Result<FlowId> parse_flow_id(const Parameter& flow_id);

// This browser may act on the flow, now. `stands_in` is true for an admin's bearer, which replaces
// the cookie.
// fail: browser_mismatch; invalid_flow for a denied one; flow_expired
Checked check_flow(
    const Flow& flow, const std::optional<Digest>& browser, bool stands_in, Instant now);

// 1 to 255 bytes of UTF-8, no control characters.
bool is_user_id(std::string_view text);

// A typed user id: trimmed, 1 to 255 bytes of UTF-8, no control characters. fail: invalid_user_id
Result<Identity> validate_user_id(const std::optional<std::string>& typed);

// fail: invalid_virtual_key, one message for unknown, disabled and expired
Result<Identity> validate_virtual_key(const std::optional<VirtualKey>& key, Instant now);

// fail: identity_required when the policy lets nobody in without one
Result<Identity> validate_skip(const Policy& policy);

// The identity a submit ends up with. A bearer's virtual key must be the flow's, or becomes its
// identity when the flow has none. A flow without one counts as skipped. The operator must let the
// identity in, and the flow must have a resource.
// in:   bearer_key  the key the bearer named, when it named one
// fail: invalid_bearer, resource_required, identity_required, identity_not_allowed
Result<Identity> validate_submit_identity(
    const Flow& flow, const std::optional<BearerClaims>& bearer,
    const std::optional<VirtualKey>& bearer_key, const Policy& policy, Instant now);

// The random values that finalize() needs; the caller draws them, so that it stays pure.
struct FreshSession {
    SessionId session_id;
    Secret code; // 43 base64url characters
};

// Everything the one transaction writes, and the redirect that follows it.
struct Finalization {
    FlowId flow_id;
    std::int64_t revision = 0; // the flow must still be as it was validated
    Instant now{};
    Session session;
    IssuedCode code;
    Owner flow_owner;    // of the upstream tokens, before
    Owner session_owner; // and after
    Secret location;     // carries the code, so it is a secret until it is sent
    // The rules and the person must still be as they were when they were asked.
    std::int64_t policy_version = 0;
    std::optional<std::pair<PersonId, std::int64_t>> person{}; // and the version of that row
};

// The redirect of a consent that was finished before, with the code it gave then.
Secret continue_location(const IssuedCode& code, const Secret& secret, const Policy& policy);

Finalization finalize(
    const Flow& flow, Identity identity, FreshSession fresh, const Keyring& keyring,
    const Policy& policy, Instant now);

// The redirect of a refusal: access_denied. spec: RFC 6749 section 4.1.2.1; RFC 9207 section 2
std::string denial_location(const Flow& flow, const Policy& policy);
std::string error_location(
    const ReturnPath& back, std::string_view error, std::string_view description,
    const Policy& policy);

} // namespace consentgate::core
