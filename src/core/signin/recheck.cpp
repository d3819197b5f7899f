#include "consentgate/core/signin/recheck.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr Span day{86400}, hour{3600};

Error no_answer(std::string reason) {
    return make_error(
        ErrorCode::service_unavailable, PublicMessage{"the identity provider does not answer"},
        LogDetail{std::move(reason)});
}

} // namespace

bool recheck_is_due(const IdentityProvider& idp, const Person& person, Instant now) {
    return idp.recheck_after && person.checked_at + *idp.recheck_after <= now;
}

bool may_go_on_unchecked(const IdentityProvider& idp, const Person& person, Instant now) {
    const auto due = idp.recheck_after.value_or(Span(0));
    return now <= person.checked_at + std::max(day, due + hour);
}

ServiceRequest recheck_request(
    const IdentityProvider& idp, const Secret& client_secret, const Secret& refresh_token) {
    Service service;
    service.token_endpoint = idp.token_endpoint;
    service.client_id = idp.client_id;
    const bool by_key = idp.auth == ClientAuth::private_key_jwt; // the caller adds the proof
    service.auth = by_key ? ClientAuth::none : idp.auth;
    return refresh_request(service, client_secret, refresh_token);
}

Result<RenewedTokens> read_renewed_tokens(const ServiceReply& reply) {
    if (!reply.answered) return no_answer(reply.reason);
    const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    const auto text = [&](const char* name) {
        return body ? body->text(name).value_or("") : std::string();
    };
    if (reply.status >= 400 && reply.status < 500 && text("error") == "invalid_grant")
        return make_error(
            ErrorCode::invalid_grant, PublicMessage{"the person has to sign in again"},
            LogDetail{"the identity provider says that the person's grant is over"});
    if (reply.status != 200 || text("access_token").empty())
        return no_answer("status " + std::to_string(reply.status));
    RenewedTokens tokens{.access_token = Secret(text("access_token"))};
    if (auto token = text("id_token"); !token.empty()) tokens.id_token = Secret(std::move(token));
    if (auto token = text("refresh_token"); !token.empty())
        tokens.refresh_token = Secret(std::move(token));
    return tokens;
}

Result<ProvedClaims> validate_renewed_id_token(
    const RenewedTokens& tokens, const IdentityProvider& idp, const ProviderKeys& keys,
    const Person& person, Instant now) {
    auto proved = validate_id_token(
        tokens.id_token->reveal(), idp, keys,
        {.access_token = tokens.access_token, .of_refresh = true}, now);
    if (!proved) return no_answer(proved.error().reason + " (" + proved.error().param + ")");
    if (proved->issuer != person.issuer || proved->subject != person.subject)
        return no_answer("the ID token is of another person");
    return proved;
}

ProvedClaims claims_without_id_token(const Person& person, Instant now) {
    return {.issuer = person.issuer, .subject = person.subject, .issued_at = now};
}

Person rechecked_person(
    const Person& before, const ProvedClaims& proved, const PersonClaims& claims, Instant now) {
    auto person = before;
    person.checked_at = now;
    person.snapshot_at = std::max(before.snapshot_at, proved.issued_at);
    person.name = claims.name;
    person.email = claims.email;
    person.claims = claims.claims;
    if (!claims.groups_sent) return person;
    person.groups = claims.groups;
    person.groups_known = claims.groups_known;
    return person;
}

} // namespace consentgate::core
