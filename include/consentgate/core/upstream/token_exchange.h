// Exchanging a person's session token for their token at a service. A resource server may exchange
// the tokens that it was called with, for the services that it was registered with.
// spec: RFC 8693
#pragma once

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

inline constexpr const char* access_token_type = "urn:ietf:params:oauth:token-type:access_token";

// The parameters as they arrived; nothing of them is checked.
struct ExchangeRequest {
    Parameter subject_token, subject_token_type, requested_token_type, actor_token;
    Parameter audience, resource, refused_token_hash;
    Checked not_repeated = Nothing{}; // of those that count but `resource`
};

struct TokenExchange {
    Secret subject_token; // a session token of ours
    std::optional<std::string>
        audience; // a service by its id; one of these two is there, or both for the same
    std::optional<std::string> resource; // a service by its address
    // The base64url SHA-256 of the token that the service refused, so that it is not handed out
    // again. spec: docs/requirements.md M8
    std::optional<std::string> refused{};
};

// spec: RFC 8693 section 2.1. fail: invalid_request, invalid_target
Result<TokenExchange> parse_token_exchange(const ExchangeRequest& sent);

// Whether the hash is that token's. in: hash  base64url SHA-256
bool is_hash_of(const std::string& hash, const Secret& token);

// The service that is meant, when this server may have its tokens. fail: invalid_target
Result<Service> authorize_target(
    const TokenExchange& exchange, const ResourceServer& server,
    const std::vector<Service>& services);

// The kind of a token that is handed out: a key is no bearer token, and has a header of its own.
enum class TokenKind { bearer, key };

// spec: RFC 8693 section 2.2.1
// in:   expires_at  absent: the service did not say
std::string token_exchange_response(
    const Secret& access_token, const std::optional<Instant>& expires_at, const std::string& scope,
    Instant now, TokenKind kind = TokenKind::bearer);

} // namespace consentgate::core
