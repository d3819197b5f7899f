// Sessions, codes, and the rules of redeeming a code. spec: OAuth 2.1 section 4.1.3; requirements
// T12-T16
#pragma once

#include "consentgate/core/base/parameter.h"
#include "consentgate/core/oauth/flow.h"

#include <optional>
#include <string>

namespace consentgate::core {

// spec: RFC 8693 section 2.1
inline constexpr const char* token_exchange_grant =
    "urn:ietf:params:oauth:grant-type:token-exchange";

struct Session {
    SessionId id;
    FlowId flow_id; // the consent it came from; unique
    Digest token;   // of the session token
    Digest browser; // that gave the consent
    ClientId client_id;
    Identity identity;
    ScopeSet scope;
    std::string resource;
    Instant created_at{};
    Instant expires_at{}; // of the session: without refresh tokens its token ends with it
    std::optional<Instant> revoked_at;
    std::optional<Instant>
        token_expires_at;       // of the token it was found by, when that ends before it
    std::string redirect_uri{}; // where its code went; empty for one of before this was kept
    std::optional<Instant> last_used_at{}; // to the hour
    std::string last_used_from{};          // a coarse address; empty where none is known
    std::optional<SigninId> signin{};      // of a person who signed in at an identity provider
    Instant token_ends() const { return token_expires_at.value_or(expires_at); }
};

struct IssuedCode {
    Digest hash;
    SessionId session_id;
    ClientId client_id;
    std::string redirect_uri;
    std::string code_challenge;
    KeyId key_id; // the server key its session token is derived with
    Instant expires_at{};
    std::optional<Instant> redeemed_at; // kept after use, so that a replay is seen
    std::optional<std::string> state{}; // that the redirect carried; an empty one is kept as none
};

// The parameters of a token request as they arrived; nothing of them is checked.
struct TokenRequest {
    Parameter grant_type, code, code_verifier, redirect_uri, refresh_token, scope, resource;
    Checked not_repeated = Nothing{}; // of those that count but `resource`
};

enum class GrantType { authorization_code, refresh_token };
// fail: invalid_request (missing, repeated), unsupported_grant_type
Result<GrantType> parse_grant_type(const TokenRequest& sent, const Policy& policy);

// The values of a token request, checked in form only.
struct CodeRequest {
    ClientId client_id;
    Secret code;
    Secret verifier;
    std::optional<std::string> redirect_uri; // OAuth 2.1 clients leave it out
    std::optional<std::string> resource;
};

// in:   client  who sends it, as it proved
// fail: invalid_request (missing), invalid_target, invalid_grant
Result<CodeRequest> parse_code_request(const TokenRequest& sent, const ClientId& client);

// A client may send the same thing again for so long: from another process, or because it lost the
// answer. spec: docs/requirements.md XE4
inline constexpr Span same_moment{30};

// repeat, replay: a spent code came again with everything right, and is refused. repeat: in the
// moment in which it was redeemed, so that one client sent it twice. replay: later, so that there
// is a stolen copy, and the tokens of that code are revoked (T16).
enum class Exchange { redeem, repeat, replay };

// Checks in the order of requirement T12; nothing is consumed until all of them pass.
// in:   code, session  as stored; both absent when the code is unknown
// fail: invalid_grant, also for an identity that the operator no longer lets in; invalid_target
Result<Exchange> validate_code_request(
    const CodeRequest& request, const std::optional<IssuedCode>& code,
    const std::optional<Session>& session, const Policy& policy, Instant now);

// The tokens that the token endpoint issues. spec: RFC 6749 section 5.1
struct TokenGrant {
    Secret token;
    std::optional<Secret> refresh_token;
    Session session; // with the scope and the end of that token
};
std::string token_response(const TokenGrant& granted, Instant now);

} // namespace consentgate::core
