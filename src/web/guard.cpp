#include "consentgate/web/guard.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/usecase/signin.h"

namespace consentgate::web {
namespace {

using core::ErrorCode;

constexpr std::string_view key_by_caller = "virtual_key caller", key_by_flow = "virtual_key flow";

core::Error slow_down(int seconds, const char* message) {
    return core::make_error(
        ErrorCode::too_many_requests, core::PublicMessage{message}, {}, {},
        core::RetryAfter{seconds});
}

// It ends with the browser; what it proves ends before, on the server.
std::string set_cookie(
    const std::string& name, const core::Secret& secret, const WebContext& context) {
    return name + "=" + secret.reveal() + "; Path=/; HttpOnly; SameSite=Lax" +
           (context.deps.policy.secure() ? "; Secure" : "");
}

} // namespace

bool is_foreign(const Request& request, const WebContext& context) {
    if (request.fetch_site && *request.fetch_site != "same-origin") return true;
    if (!request.origin || *request.origin == context.deps.policy.origin()) return false;
    return !(*request.origin == "null" && request.fetch_site);
}

core::Result<core::Form> read_form(const Request& request) {
    if (!says_type(request, "application/x-www-form-urlencoded")) {
        return core::make_error(
            ErrorCode::unsupported_media_type,
            core::PublicMessage{"the body must be application/x-www-form-urlencoded"});
    }
    return core::Form::parse(request.body);
}

core::Result<core::Form> read_own_form(const Request& request, const WebContext& context) {
    if (is_foreign(request, context))
        return core::make_error(
            ErrorCode::browser_mismatch,
            core::PublicMessage{"this form was sent from another site"},
            core::LogDetail{"foreign origin"});
    auto form = read_form(request);
    if (form) return form;
    // No flow_id can be read from such a body. spec: docs/http.md
    const auto code = form.error().code == ErrorCode::unsupported_media_type
                          ? ErrorCode::missing_flow_id
                          : ErrorCode::invalid_flow;
    return core::make_error(
        code, core::PublicMessage{form.error().message}, core::LogDetail{form.error().reason},
        "flow_id");
}

usecase::BrowserContext browser_context_of(const Request& request, const WebContext& context) {
    usecase::BrowserContext browser_context;
    browser_context.secret = browser_secret(request, context.cookie_name);
    if (browser_context.secret) browser_context.browser = core::sha256(*browser_context.secret);
    browser_context.remote_user = request.remote_user;
    const auto secret = signin_secret(request, context);
    if (secret && context.deps.policy.verified_user == core::VerifiedUser::off)
        browser_context.signed_in =
            usecase::find_signed_in(context.deps, core::sha256(*secret), request.now);
    return browser_context;
}

std::optional<core::Secret> signin_secret(const Request& request, const WebContext& context) {
    return browser_secret(request, context.signin_cookie_name);
}

core::Checked admit(
    const Request& request, WebContext& context, std::string_view what, int most_a_minute) {
    const int seconds =
        context.rates.admit(what, core::caller_of(request.remote_addr), most_a_minute, request.now);
    if (seconds == 0) return core::Nothing{};
    return slow_down(seconds, "too many requests from this address; wait a little");
}

KeyAttempt::KeyAttempt(
    const Request& request, WebContext& context, const core::FlowId& flow, std::string_view by)
    : request_(request),
      context_(context),
      caller_(core::caller_of(request.remote_addr)),
      flow_(flow.text),
      by_(by) {
    const int limit = context_.limits.failed_virtual_keys_per_minute;
    int seconds = context_.rates.admit(key_by_caller, caller_, limit, request_.now);
    counts_by_caller_ = seconds == 0;
    if (seconds == 0) {
        seconds = context_.rates.admit(key_by_flow, flow_, limit, request_.now);
        counts_by_flow_ = seconds == 0;
    }
    if (seconds == 0) return;
    admitted_ = slow_down(seconds, "too many wrong keys; wait a little");
    audit("too many before it");
}

KeyAttempt::~KeyAttempt() {
    const int limit = context_.limits.failed_virtual_keys_per_minute;
    if (counts_by_caller_) context_.rates.forgive(key_by_caller, caller_, limit, request_.now);
    if (counts_by_flow_) context_.rates.forgive(key_by_flow, flow_, limit, request_.now);
}

void KeyAttempt::check_refusal(const core::Error& error) {
    if (error.code != ErrorCode::invalid_virtual_key && error.code != ErrorCode::invalid_bearer)
        return;
    counts_by_caller_ = counts_by_flow_ = false;
    audit(error.reason);
}

void KeyAttempt::audit(const std::string& reason) const {
    context_.deps.log.audit(
        "virtual_key_refused", {{"event_id", request_.event_id},
                                {"by", by_},
                                {"reason", reason},
                                {"address", request_.remote_addr}});
}

std::string browser_cookie(const core::Secret& secret, const WebContext& context) {
    return set_cookie(context.cookie_name, secret, context);
}

std::string signin_cookie(const core::Secret& secret, const WebContext& context) {
    return set_cookie(context.signin_cookie_name, secret, context);
}

void note_consent(
    const usecase::Submitted& submitted, std::string_view by, const Request& request,
    const WebContext& context) {
    const auto& session = submitted.session;
    context.deps.count(sys::Metric::finalizations, {{"by", by}});
    context.deps.log.audit(
        "consent_given", {{"event_id", request.event_id},
                          {"by", std::string(by)},
                          {"admin", submitted.by_admin ? submitted.admin : "-"},
                          {"session", session.id.text},
                          {"client", session.client_id.text},
                          {"subject", core::logged_subject(session)},
                          {"identity_kind", std::string(core::name_of(session.identity.kind))},
                          {"resource", session.resource},
                          {"scope", session.scope.text()},
                          {"address", request.remote_addr}});
}

} // namespace consentgate::web
