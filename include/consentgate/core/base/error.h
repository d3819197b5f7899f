// The one error. A rule that refuses says which fault it is, what may be shown, what only the log
// may know, and whether the client may be told by redirect. web/answer turns it into a response;
// nothing else does.
#pragma once

#include "consentgate/core/base/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace consentgate::core {

struct Client;
struct Flow;

// Closed set. Names are those of the RFCs and of the contract; the comment gives the status on a
// direct answer.
enum class ErrorCode {
    missing_flow_id,           // 400
    invalid_flow,              // 400
    invalid_request,           // 400
    invalid_client,            // 401 at the token endpoint, 400 on a page
    invalid_client_document,   // 400
    invalid_redirect_uri,      // 400
    invalid_client_metadata,   // 400
    invalid_grant,             // 400
    unauthorized_client,       // 400
    unsupported_grant_type,    // 400
    unsupported_response_type, // 400
    invalid_scope,             // 400
    invalid_target,            // 400
    login_required,            // 400
    request_not_supported,     // 400
    request_uri_not_supported, // 400
    insufficient_scope,        // 403
    access_denied,             // 400
    not_allowed,               // 403; not for this key, whatever it is asked for
    identity_required,         // 302 back to the identity page
    invalid_virtual_key,       // 302 back to the identity page
    invalid_user_id,           // 302 back to the identity page
    verified_user_missing,     // 403; the web server said nobody's name
    invalid_verified_user,     // 403
    another_user,              // 403; not the user who began it
    invalid_bearer,            // 401
    browser_mismatch,          // 403
    flow_already_submitted,    // 409
    flow_expired,              // 410
    unknown_service,           // 404
    invalid_upstream_state,    // 400
    invalid_link,              // 410
    interaction_required,      // 400; the error names where the person can connect
    service_unavailable,       // 503
    not_found,                 // 404
    method_not_allowed,        // 405
    request_timeout,           // 408; the body took too long to come
    too_large,                 // 413
    uri_too_long,              // 414
    unsupported_media_type,    // 400, as the contract asks for a wrong content type
    too_many_requests,         // 429
    store_unavailable,         // 503
    server_error,              // 500
};

struct ErrorTraits {
    std::string_view name;        // as it stands in error and error.code
    int status;                   // of a direct answer
    std::string_view type;        // error.type of the gateway shape
    std::string_view oauth_error; // RFC 6749 section 5.2 word for the OAuth shape and for redirects
};

const ErrorTraits& traits(ErrorCode code);

// Permission to redirect an error to the client: its URI has been matched against its registration.
// Only the three functions named below can make one, so an open redirect does not compile. spec:
// RFC 6749 section 4.1.2.1
class ReturnPath {
public:
    const std::string& redirect_uri() const { return redirect_uri_; }
    const std::optional<std::string>& state() const {
        return state_;
    } // byte-exact; absent when none was sent
    bool at_once() const {
        return at_once_;
    } // false: show our page with a link, do not bounce (requirement A26)

private:
    ReturnPath(std::string redirect_uri, std::optional<std::string> state, bool at_once)
        : redirect_uri_(std::move(redirect_uri)), state_(std::move(state)), at_once_(at_once) {}
    friend std::optional<ReturnPath> match_redirect(
        const Client&, std::string_view, std::optional<std::string>);
    friend ReturnPath revive_return_path(const Flow&);

    std::string redirect_uri_;
    std::optional<std::string> state_;
    bool at_once_;
};

// Distinct types, so that what the log may know cannot be shown by swapping two strings.
struct PublicMessage {
    std::string text;
};
struct LogDetail {
    std::string text;
};

struct Error {
    ErrorCode code = ErrorCode::server_error;
    std::string message;            // may be shown
    std::string reason;             // log only; never holds a secret
    std::string param;              // the parameter at fault, or empty
    std::optional<ReturnPath> back; // absent: never redirect
    std::string
        detail; // for a developer of a client, on the page only (addresses refused and registered)
    int retry_after_seconds = 0;          // 0: none
    std::optional<Secret> continue_url{}; // where the person can go on all the same; carries a code
                                          // or a link, for the answer only
    std::string continue_target{};        // what that address is called
};

inline Error make_error(
    ErrorCode code, PublicMessage message, LogDetail reason = {}, std::string param = {}) {
    return Error{
        code,
        std::move(message.text),
        std::move(reason.text),
        std::move(param),
        std::nullopt,
        {},
        0,
        std::nullopt,
        {}};
}

// A value, or the Error that stands in its place.
template <class Value> class [[nodiscard]] Result {
public:
    Result(Value value) : held_(std::move(value)) {}
    Result(Error error) : held_(std::move(error)) {}

    explicit operator bool() const { return std::holds_alternative<Value>(held_); }
    Value& operator*() { return std::get<Value>(held_); }
    const Value& operator*() const { return std::get<Value>(held_); }
    Value* operator->() { return &std::get<Value>(held_); }
    const Value* operator->() const { return &std::get<Value>(held_); }
    Error& error() { return std::get<Error>(held_); }
    const Error& error() const { return std::get<Error>(held_); }

private:
    std::variant<Value, Error> held_;
};

struct Nothing {};
using Checked = Result<Nothing>;

} // namespace consentgate::core
