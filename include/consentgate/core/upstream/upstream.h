// The rules of being an OAuth client at another server: where a person is sent, what comes back,
// and what a token reply says. When a token is refreshed is in account_state.h.
// spec: docs/http.md Upstream authorization; OAuth 2.1; RFC 8707; RFC 9207
#pragma once

#include "consentgate/core/base/failure_cause.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/upstream/account_holder.h"
#include "consentgate/core/upstream/account_state.h"
#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::core {

// Both refusals, said alike wherever it turns out. in: why  for the log
Error invalid_upstream_state(std::string reason);
Error invalid_link(std::string reason);

inline constexpr Span upstream_state_lifetime{900};
inline constexpr Span link_lifetime{900};

// May this identity use the service? One answer for a service that is not there, is disabled, or is
// not for this key.
// in:   key  of an identity that is a virtual key
// fail: unknown_service
Result<Service> authorize_service(
    const std::optional<Service>& service, const Identity& identity,
    const std::optional<VirtualKey>& key, Instant now);

// Which account a person is to be asked for at the service.
enum class WhichAccount {
    any,
    another, // than the one that they are signed in with there
};
// The value of OpenID's `prompt` that has the service ask which account; empty: it knows none that
// we could be sure of, and an unknown one makes some services refuse.
std::string_view prompt_for_another_account(const Service& service);

// The address at the service, with everything in it; our own page, where people paste a key of the
// service. Carries the state, which is a secret of this browser's.
Secret upstream_authorize_url(
    const Service& service, const Secret& state, const Secret& verifier, const Policy& policy,
    WhichAccount which = WhichAccount::any);

// The answer of the service through the person's browser.
struct Callback {
    Secret state;
    std::optional<Secret> code; // absent when the service refused
    std::string error;          // its word, for the log; empty when there is a code
    std::optional<std::string> iss;
};

// The same as it arrived.
struct CallbackParameters {
    Parameter state, code, error, iss;
};

// fail: invalid_upstream_state: no state, or not one of ours in shape
Result<Callback> parse_callback(const CallbackParameters& sent);

// The answer belongs to what was begun: the same browser, in time, and from the service it was
// begun at (mix-up: RFC 9700 section 4.4).
// fail: invalid_upstream_state, browser_mismatch
// in:   at  the service whose own address it came to; absent: it came to the shared one
Checked check_callback(
    const UpstreamState& state, const std::optional<ServiceId>& at,
    const std::optional<Digest>& browser, Instant now);
// An issuer that we do not know must at least be at the origin where the person was sent.
// fail: invalid_upstream_state. spec: RFC 9207 section 2.4; docs/requirements.md XC1
Checked check_issuer(const Callback& callback, const Service& service);

// One request to a service's token or revocation endpoint.
struct ServiceRequest {
    std::string url;
    Secret form;
    std::optional<Secret> authorization; // the header
};
// in:   redirect_uri  the one that the person was sent with
ServiceRequest code_request(
    const Service& service, const Secret& client_secret, const Secret& code, const Secret& verifier,
    const std::string& redirect_uri);
ServiceRequest refresh_request(
    const Service& service, const Secret& client_secret, const Secret& refresh_token);
// in:   hint  access_token or refresh_token
ServiceRequest revocation_request(
    const Service& service, const Secret& client_secret, const Secret& token,
    std::string_view hint);

struct TokenSet {
    Secret access_token;                   // 1 to 131072 visible ASCII characters
    std::optional<Secret> refresh_token;   // absent: the old one stays, where there is one
    std::optional<Span> expires_in;        // absent: not said
    std::string scope;                     // as said; empty: not said
    std::optional<AccountHolder> holder{}; // absent: not said
};

// in:   answered   false: no whole answer came
//       timed_out  because the time ran out
struct ServiceReply {
    bool answered = false;
    int status = 0;
    std::string content_type{};
    Secret body{};
    std::optional<Span> retry_after{}; // as it said
    bool timed_out = false;
    FailureCause cause = FailureCause::none; // not answered: why, and in words
    std::string reason{};
    std::vector<Secret> sent{}; // of the request: what must not come back in a reason
};

// When the access token ends: as the service said, or else as the token says of itself where it is
// a JWT. Absent: nobody said. in: asked  when the request was sent
std::optional<Instant> expiry_of(const TokenSet& tokens, Instant asked);

struct TokenReply {
    std::optional<TokenSet> tokens;
    UpstreamError error = UpstreamError::unavailable; // when there are none
    std::string reason; // for the log; what the service wrote is bounded, and its tokens cut out
    std::optional<Span> retry_after{};
    // A refresh token that came beside an access token that cannot be used: the one before it may
    // be dead by now.
    std::optional<Secret> rotated{};
    FailureCause cause = FailureCause::none;
    std::string word{}; // of the error, where it is a known one
};
// Reads JSON and, for providers older than RFC 6749, forms; an error may come with status 200, and
// tokens with any success. Members that have no bearing on the tokens may be as odd as they like.
// spec: docs/requirements.md XC5, XC6, XC11
TokenReply read_token_reply(const ServiceReply& reply);

// A service's answer to a revocation request. spec: RFC 7009 section 2.2
enum class Revocation {
    revoked,     // now, or the service did not know the token any more
    refused,     // for good: the service offers no revocation, or refuses us
    unavailable, // the service does not answer or is overloaded
};
Revocation read_revocation_reply(const ServiceReply& reply);

// A link by which the person of a session connects a service later.
// spec: docs/http.md Upstream authorization
struct Link {
    SessionId session;
    ServiceId service;
    Instant expires_at{};
    Digest digest; // of the whole, so that it is good once
};
// in:   fresh  22 base64url characters
Secret make_link(
    const SessionId& session, const ServiceId& service, const std::string& fresh,
    const Keyring& keyring, Instant now);
// fail: invalid_link: not one of ours, for another service, or over
Result<Link> validate_link(
    const std::string& text, const ServiceId& service, const Keyring& keyring, Instant now);
// The session it was made for stands, and this browser is the one that made it: whoever is sent
// another person's link must not connect their account to that person's session. fail:
// invalid_link, browser_mismatch
Checked check_link_principal(
    const std::optional<SessionView>& view, const std::optional<Digest>& browser,
    const Policy& policy, Instant now);

} // namespace consentgate::core
