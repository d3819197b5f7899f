// The one error. A rule that refuses names the code, the public message, the detail for the log,
// and whether a redirect may carry the error to the client. web/answer turns it into a response; no
// other code does.
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace consentgate::core {

struct Client;
struct Flow;
struct RedirectPolicy;

// Closed set. The names stand in responses (docs/http.md); the comment gives the status of a direct
// answer.
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
    resource_required,         // 302 back to the identity page
    request_not_supported,     // 400
    request_uri_not_supported, // 400
    insufficient_scope,        // 403
    access_denied,             // 400
    forbidden,                 // 403; no sign-in changes that, only an operator
    access_refused,            // 403; a rule of the operator refuses this person
    identity_required,         // 302 back to the identity page
    identity_not_allowed,      // 302 back to the identity page; 403 where that would not help
    invalid_virtual_key,       // 302 back to the identity page
    invalid_user_id,           // 302 back to the identity page
    verified_user_missing,     // 403; the web server named no user
    invalid_verified_user,     // 403
    another_user,              // 403; not the user who began it
    invalid_bearer,            // 401
    browser_mismatch,          // 403
    flow_already_submitted,    // 409
    flow_expired,              // 410
    unknown_service,           // 404
    invalid_upstream_state,    // 400
    invalid_signin,            // 400; at an identity provider: not under way, or begin again
    invalid_link,              // 410
    interaction_required,      // 400; the error names where the person can connect
    service_unavailable,       // 503
    not_found,                 // 404
    method_not_allowed,        // 405
    request_timeout,           // 408; the body took too long to come
    too_large,                 // 413
    uri_too_long,              // 414
    unsupported_media_type,    // 400, not 415: clients of the gateway expect it
    too_many_requests,         // 429
    store_unavailable,         // 503
    server_error,              // 500
};

struct ErrorTraits {
    std::string_view name;        // as it stands in error and error.code
    int status;                   // of a direct answer
    std::string_view type;        // error.type of the gateway format
    std::string_view oauth_error; // RFC 6749 section 5.2 code, in the OAuth format and in redirects
};

const ErrorTraits& traits(ErrorCode code);

// Permission to redirect an error to the client: the URI matches the client's registration. Only
// the two friends below can make one, so an open redirect does not compile.
// spec: RFC 6749 section 4.1.2.1
class ReturnPath {
public:
    const std::string& redirect_uri() const { return redirect_uri_; }
    // Byte-exact; absent when none was sent.
    const std::optional<std::string>& state() const { return state_; }
    // False: show our page with a link, do not redirect. spec: docs/requirements.md A26
    bool at_once() const { return at_once_; }

private:
    ReturnPath(std::string redirect_uri, std::optional<std::string> state, bool at_once)
        : redirect_uri_(std::move(redirect_uri)), state_(std::move(state)), at_once_(at_once) {}
    friend std::optional<ReturnPath> match_redirect(
        const Client&, std::string_view, std::optional<std::string>, const RedirectPolicy&);
    friend ReturnPath revive_return_path(const Flow&);

    std::string redirect_uri_;
    std::optional<std::string> state_;
    bool at_once_;
};

// Distinct types, so that swapping two strings cannot show a log detail to the public.
struct PublicMessage {
    std::string text;
};
struct LogDetail {
    std::string text;
};

// The redirect URI that a client asked for, beside those it registered. For the developer of the
// client, on the page only.
struct RedirectMismatch {
    std::string requested; // empty when none was sent, or more than one
    std::vector<std::string> registered;
};

struct RetryAfter {
    int seconds = 0;
};

// Where the person can go on all the same. The address carries a code: it is for the answer, never
// for the log.
struct ContinueAt {
    Secret url;
    std::string target{}; // the name of that address, for the page
};

// The person of a session has to connect a service first; `link` lets them do that once.
struct ConnectLink {
    ServiceId service;
    Secret link;
};

// The scopes to sign in for, separated by blanks.
struct NeededScope {
    std::string names;
};

// Whom a rule refuses, for their own page.
struct RefusedAccount {
    std::string name{};          // as their identity provider says; empty: none is known
    std::string provider{};      // its title
    bool groups_unknown = false; // it did not say which groups they are in
};

using ErrorDetails = std::variant<
    std::monostate, RedirectMismatch, RetryAfter, ContinueAt, ConnectLink, NeededScope,
    RefusedAccount>;

struct Error {
    // Defined in error.cpp: every Result<T> would otherwise inline the copy and the destruction of
    // all details, in every file that uses one.
    Error();
    ~Error();
    Error(const Error&);
    Error(Error&&) noexcept;
    Error& operator=(const Error&);
    Error& operator=(Error&&) noexcept;

    ErrorCode code = ErrorCode::server_error;
    std::string message{};            // may be shown
    std::string reason{};             // log only; never holds a secret
    std::string param{};              // the wrong parameter, or empty
    std::optional<ReturnPath> back{}; // absent: never redirect
    ErrorDetails details{};

    // Null when the details are of another type.
    template <class Detail> const Detail* find() const { return std::get_if<Detail>(&details); }
    int retry_after_seconds() const { // 0: none
        const auto* retry = find<RetryAfter>();
        return retry == nullptr ? 0 : retry->seconds;
    }
};

Error make_error(
    ErrorCode code, PublicMessage message, LogDetail reason = {}, std::string param = {},
    ErrorDetails details = {});

// A value, or the Error that stands in its place.
template <class Value> class [[nodiscard]] Result {
public:
    Result(Value value) : held_(std::move(value)) {}
    Result(Error error) : held_(std::move(error)) {}

    explicit operator bool() const { return std::holds_alternative<Value>(held_); }
    Value& operator*() & { return std::get<Value>(held_); }
    const Value& operator*() const& { return std::get<Value>(held_); }
    // By value: a loop over the inside of a temporary would walk what is gone.
    Value operator*() && { return std::get<Value>(std::move(held_)); }
    Value* operator->() { return &std::get<Value>(held_); }
    const Value* operator->() const { return &std::get<Value>(held_); }
    Error& error() & { return std::get<Error>(held_); }
    const Error& error() const& { return std::get<Error>(held_); }
    Error&& error() && { return std::get<Error>(std::move(held_)); }

    // The result of `next`, which gets the value; this error when there is no value.
    // in: next  returns a Result
    template <class Next> auto and_then(Next&& next) && {
        using Then = decltype(call(std::forward<Next>(next), std::declval<Value&&>()));
        if (!*this) return Then(std::move(*this).error());
        return call(std::forward<Next>(next), *std::move(*this));
    }

    // As and_then, for a function that cannot fail. in: next  returns a plain value
    template <class Next> auto transform(Next&& next) && {
        using Then = Result<decltype(call(std::forward<Next>(next), std::declval<Value&&>()))>;
        if (!*this) return Then(std::move(*this).error());
        return Then(call(std::forward<Next>(next), *std::move(*this)));
    }

    // The value goes to `place`; what is left says whether there was one.
    template <class Place> Result<struct Nothing> store_in(Place& place) &&;

private:
    // A check has no value to hand on, so what follows it takes none.
    template <class Next> static decltype(auto) call(Next&& next, Value&& value) {
        if constexpr (std::is_invocable_v<Next, Value&&>)
            return std::forward<Next>(next)(std::move(value));
        else
            return std::forward<Next>(next)();
    }

    std::variant<Value, Error> held_;
};

struct Nothing {};

// The result of a rule that allows or refuses and has no value to give.
using Checked = Result<Nothing>;

template <class Value> template <class Place> Checked Result<Value>::store_in(Place& place) && {
    if (!*this) return std::move(*this).error();
    place = *std::move(*this);
    return Nothing{};
}

} // namespace consentgate::core
