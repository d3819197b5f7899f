// Reads forms and query strings into typed requests. The names of all parameters that are read
// stand here; the rules in core check the values.
#pragma once

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/form.h"
#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/grant.h"
#include "consentgate/core/upstream/token_exchange.h"
#include "consentgate/core/upstream/upstream.h"

#include <optional>
#include <string>

namespace consentgate::web {

namespace field {
inline constexpr const char* flow_id = "flow_id";
inline constexpr const char* service_id = "mcp_client_id";
inline constexpr const char* session_id = "session_id";
inline constexpr const char* link = "link";
inline constexpr const char* state = "state";
inline constexpr const char* api_key = "key"; // of a service
inline constexpr const char* virtual_key = "vk";
inline constexpr const char* user_id = "user_id";
inline constexpr const char* from = "from"; // the page that a form stands on
inline constexpr const char* resource = "resource";
inline constexpr const char* change = "change"; // of a linked account: what to do with it
inline constexpr const char* idp = "idp";       // an identity provider
inline constexpr const char* again = "again";   // another account than last time there
inline constexpr const char* signin_id = "signin_id";
inline constexpr const char* logout_token = "logout_token";
inline constexpr const char* choose = "choose"; // of page 1: what to choose again
} // namespace field

// spec: OAuth 2.1 section 4.1.1; RFC 8707; RFC 9101
inline core::AuthorizationRequest read_authorization_request(const core::Form& query) {
    return {
        .client_id = query.parameter("client_id"),
        .redirect_uri = query.parameter("redirect_uri"),
        .state = query.parameter("state"),
        .response_type = query.parameter("response_type"),
        .response_mode = query.parameter("response_mode"),
        .code_challenge = query.parameter("code_challenge"),
        .code_challenge_method = query.parameter("code_challenge_method"),
        .scope = query.parameter("scope"),
        .resource = query.parameter_of_equals("resource"),
        .prompt = query.parameter("prompt"),
        .max_age = query.parameter("max_age"),
        .request = query.parameter("request"),
        .request_uri = query.parameter("request_uri"),
        .not_repeated = query.check_not_repeated(
            {"client_id", "redirect_uri", "state", "response_type", "response_mode",
             "code_challenge", "code_challenge_method", "scope", "prompt", "request",
             "request_uri"})};
}

// The parameters that count for the grant; what it ignores may come as often as it likes. fail:
// invalid_request
inline core::Checked check_token_request(const core::Form& form) {
    const auto fit = form.check_not_repeated(
        {"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"});
    if (!fit) return fit;
    if (form.get("grant_type") == "refresh_token")
        return form.check_not_repeated({"refresh_token", "scope"});
    return form.check_not_repeated({"code", "code_verifier", "redirect_uri"});
}

// spec: OAuth 2.1 sections 4.1.3 and 4.3.1; RFC 8707
inline core::TokenRequest read_token_request(const core::Form& form) {
    return {
        .grant_type = form.parameter("grant_type"),
        .code = form.parameter("code"),
        .code_verifier = form.parameter("code_verifier"),
        .redirect_uri = form.parameter("redirect_uri"),
        .refresh_token = form.parameter("refresh_token"),
        .scope = form.parameter("scope"),
        .resource = form.parameter_of_equals("resource"),
        .not_repeated = check_token_request(form)};
}

// spec: RFC 8693 section 2.1
inline core::ExchangeRequest read_exchange_request(const core::Form& form) {
    return {
        .subject_token = form.parameter("subject_token"),
        .subject_token_type = form.parameter("subject_token_type"),
        .requested_token_type = form.parameter("requested_token_type"),
        .actor_token = form.parameter("actor_token"),
        .audience = form.parameter("audience"),
        .resource = form.parameter_of_equals("resource"),
        .refused_token_hash = form.parameter("refused_token_hash"),
        .not_repeated = form.check_not_repeated(
            {"grant_type", "subject_token", "subject_token_type", "requested_token_type",
             "actor_token", "audience", "refused_token_hash", "client_id", "client_secret",
             "client_assertion", "client_assertion_type"})};
}

// in:   authorization  the header, when there is one
//       remote_addr    the address that the request comes from
// spec: RFC 6749 section 2.3.1; RFC 7523 section 2.2
inline core::SentCredentials read_credentials(
    const core::Form& form, const std::optional<std::string>& authorization,
    std::string_view remote_addr = {}) {
    return {
        .authorization = authorization,
        .client_id = form.parameter("client_id"),
        .client_secret = form.parameter("client_secret"),
        .client_assertion = form.parameter("client_assertion"),
        .client_assertion_type = form.parameter("client_assertion_type"),
        .caller = core::caller_of(remote_addr)};
}

// The token that a revocation or introspection request is about.
// spec: RFC 7009 section 2.1; RFC 7662 section 2.1
inline core::NamedToken read_named_token(const core::Form& form) {
    return {
        .token = form.parameter("token"),
        .not_repeated = form.check_not_repeated(
            {"token", "client_id", "client_secret", "client_assertion", "client_assertion_type"})};
}

// A service's answer through the person's browser. spec: RFC 6749 section 4.1.2; RFC 9207
inline core::CallbackParameters read_callback(const core::Form& query) {
    return {
        .state = query.parameter("state"),
        .code = query.parameter("code"),
        .error = query.parameter("error"),
        .iss = query.parameter("iss")};
}

// fail: missing_flow_id, invalid_flow
inline core::Result<core::FlowId> read_flow_id(const core::Form& form) {
    return core::parse_flow_id(form.parameter(field::flow_id));
}

// The flow that one of our own forms is about; no parameter of those forms may be repeated.
// fail: missing_flow_id, invalid_flow, invalid_request
core::Result<core::FlowId> read_form_flow_id(const core::Form& form);

// The service in a path "/BELOW/ID" and an ending. out: absent when it is no such path
std::optional<core::ServiceId> service_id_below(
    std::string_view path, std::string_view below, std::string_view ending = {});

// fail: invalid_request
core::Result<core::ServiceId> read_service_id(const core::Form& form);

// Says what a person wants to do with a linked account. fail: invalid_request
enum class AccountChange {
    again,   // connect it once more
    another, // connect another account in its place
    end,     // disconnect it
};
core::Result<AccountChange> read_account_change(const core::Form& form);

} // namespace consentgate::web
