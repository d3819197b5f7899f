#include "consentgate/core/upstream/token_exchange.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::core {
namespace {

bool is_named(const Service& service, const TokenExchange& exchange) {
    if (exchange.audience && *exchange.audience != service.id.text) return false;
    if (!exchange.resource) return true;
    return same_resource(service.url, *exchange.resource) ||
           (!service.resource.empty() && same_resource(service.resource, *exchange.resource));
}

} // namespace

Result<TokenExchange> parse_token_exchange(const ExchangeRequest& sent) {
    const auto no = [](const char* message, const char* parameter) {
        return make_error(
            ErrorCode::invalid_request, PublicMessage{message}, LogDetail{}, parameter);
    };
    const auto token = sent.subject_token.value;
    if (!token) return no("subject_token is missing", "subject_token");
    if (sent.subject_token_type.value != access_token_type)
        return no("subject_token_type must be that of an access token", "subject_token_type");
    if (sent.requested_token_type.value.value_or(access_token_type) != access_token_type) {
        return no("requested_token_type must be that of an access token", "requested_token_type");
    }
    if (sent.actor_token.count > 0) return no("actor_token is not supported", "actor_token");
    if (sent.resource.repeated())
        return make_error(
            ErrorCode::invalid_target, PublicMessage{"only one resource can be named"}, LogDetail{},
            "resource");
    TokenExchange exchange{Secret(*token), sent.audience.value, sent.resource.value};
    const auto& refused = sent.refused_token_hash;
    constexpr std::size_t hash_length = 43;
    const bool is_hash =
        refused.value && refused.value->size() == hash_length && is_base64url(*refused.value);
    if (refused.count > 0 && !is_hash)
        return no(
            "refused_token_hash must be the base64url SHA-256 of a token", "refused_token_hash");
    exchange.refused = refused.value;
    if (!exchange.audience && !exchange.resource)
        return no("audience or resource must name the service", "audience");
    return exchange;
}

bool is_hash_of(const std::string& hash, const Secret& token) {
    return same_bytes(to_base64url(sha256_bytes(token.reveal())), hash);
}

Result<Service> authorize_target(
    const TokenExchange& exchange, const ResourceServer& server,
    const std::vector<Service>& services) {
    for (const auto& service : services) {
        const bool allowed =
            std::find(server.services.begin(), server.services.end(), service.id.text) !=
            server.services.end();
        if (allowed && service.active && is_named(service, exchange)) return service;
    }
    return make_error(
        ErrorCode::invalid_target, PublicMessage{"this resource server has no such service"},
        LogDetail{}, exchange.audience ? "audience" : "resource");
}

std::string token_exchange_response(
    const Secret& access_token, const std::optional<Instant>& expires_at, const std::string& scope,
    Instant now, TokenKind kind) {
    FlatJson document;
    document.text("access_token", access_token.reveal())
        .text("issued_token_type", access_token_type)
        .text("token_type", kind == TokenKind::key ? "N_A" : "Bearer");
    if (expires_at)
        document.number("expires_in", std::max<std::int64_t>(0, (*expires_at - now).count()));
    if (!scope.empty()) document.text("scope", scope);
    return document.str();
}

} // namespace consentgate::core
