#include "consentgate/core/oauth/grant.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/pkce.h"

namespace consentgate::core {
namespace {

Error invalid_grant(std::string reason) {
    return make_error(
        ErrorCode::invalid_grant, PublicMessage{"the code or its verifier is not valid"},
        LogDetail{std::move(reason)});
}

Error missing(const char* name) {
    return make_error(
        ErrorCode::invalid_request, PublicMessage{std::string(name) + " is missing"}, LogDetail{},
        name);
}

} // namespace

Result<GrantType> parse_grant_type(const TokenRequest& sent, const Policy& policy) {
    if (!sent.not_repeated) return sent.not_repeated.error();
    const auto grant = sent.grant_type.value;
    if (!grant) return missing("grant_type");
    if (*grant == "authorization_code") return GrantType::authorization_code;
    if (*grant == "refresh_token" && policy.refreshes()) return GrantType::refresh_token;
    return make_error(
        ErrorCode::unsupported_grant_type,
        PublicMessage{
            std::string("grant_type must be authorization_code") +
            (policy.refreshes() ? " or refresh_token" : "")},
        LogDetail{}, "grant_type");
}

Result<CodeRequest> parse_code_request(const TokenRequest& sent, const ClientId& client) {
    const auto code = sent.code.value;
    if (!code) return missing("code");
    const auto verifier = sent.code_verifier.value;
    if (!verifier || !valid_verifier(*verifier)) {
        return make_error(
            ErrorCode::invalid_grant,
            PublicMessage{"code_verifier must be 43 to 128 unreserved characters"}, LogDetail{},
            "code_verifier");
    }
    if (sent.resource.repeated())
        return make_error(
            ErrorCode::invalid_target, PublicMessage{"only one resource can be named"}, LogDetail{},
            "resource");
    return CodeRequest{
        client, Secret(*code), Secret(*verifier), sent.redirect_uri.value, sent.resource.value};
}

Result<Exchange> validate_code_request(
    const CodeRequest& request, const std::optional<IssuedCode>& code,
    const std::optional<Session>& session, const Policy& policy, Instant now) {
    if (!code || !session) return invalid_grant("unknown code");
    if (code->client_id != request.client_id) return invalid_grant("another client's code");
    // A spent code stays recognisable after its five minutes, so expiry is asked of unspent ones
    // only.
    if (!code->redeemed_at && code->expires_at <= now) return invalid_grant("expired");
    if (request.redirect_uri && *request.redirect_uri != code->redirect_uri)
        return invalid_grant("another redirect_uri");
    if (!proves(request.verifier.reveal(), code->code_challenge))
        return invalid_grant("the verifier does not match");
    if (request.resource && !names_session_resource(*request.resource, session->resource)) {
        return make_error(
            ErrorCode::invalid_target, PublicMessage{"the code was not granted for that resource"},
            LogDetail{}, "resource");
    }
    if (code->redeemed_at)
        return now - *code->redeemed_at < same_moment ? Exchange::repeat : Exchange::replay;
    if (session->revoked_at || session->expires_at <= now)
        return invalid_grant("its session has ended");
    if (const auto admitted = check_admitted(session->identity, policy); !admitted)
        return invalid_grant(admitted.error().reason);
    return Exchange::redeem;
}

std::string token_response(const TokenGrant& granted, Instant now) {
    FlatJson document;
    document.text("access_token", granted.token.reveal())
        .text("token_type", "Bearer")
        .number("expires_in", (granted.session.token_ends() - now).count());
    if (granted.refresh_token) document.text("refresh_token", granted.refresh_token->reveal());
    return document.text("scope", granted.session.scope.text()).str();
}

} // namespace consentgate::core
