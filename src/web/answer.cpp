#include "consentgate/web/answer.h"

#include "consentgate/web/guard.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/metadata.h"

#include <algorithm>

namespace consentgate::web {
namespace {

using core::ErrorCode;
using core::JsonObject;

constexpr int longest_own_pause = 10; // seconds after which a page comes again by itself
constexpr int pause_before_app = 5;   // seconds in which a person can read why

// A program that failed to authenticate gets 401, and a person whose app sent a wrong id gets 400.
int page_status(ErrorCode code) {
    return code == ErrorCode::invalid_client ? 400 : core::traits(code).status;
}

// invalid_redirect_uri is a registration error; at the token and authorization endpoints OAuth
// knows it as invalid_request.
Reply oauth_answer(const core::Error& error, const Request& request, const WebContext& context) {
    const auto& known = core::traits(error.code);
    JsonObject body;
    body.set("error", std::string(known.oauth_error));
    if (!error.message.empty()) body.set("error_description", core::plain_ascii(error.message));
    if (const auto* connect = error.find<core::ConnectLink>())
        body.set("connect_uri", connect_url(context.deps.policy.origin(), *connect).reveal());
    auto reply = answer_json(known.status, core::json_string(body));
    reply.header("Cache-Control", "no-store").header("Pragma", "no-cache");
    if (error.code == ErrorCode::invalid_client && request.authorization)
        reply.header("WWW-Authenticate", "Basic realm=\"consentgate\"");
    return reply;
}

Reply json_answer(const core::Error& error) {
    JsonObject body;
    body.set("error", std::string(core::traits(error.code).name));
    return answer_json(core::traits(error.code).status, core::json_string(body))
        .header("Cache-Control", "no-store");
}

// Every member is there, and strings are never null. spec: docs/http.md
Reply gateway_answer(
    const core::Error& error, const Request& request, const std::string& request_type) {
    const auto& known = core::traits(error.code);
    const int status = page_status(error.code);
    JsonObject inner;
    inner.set("type", std::string(known.type));
    inner.set("code", std::string(known.name));
    inner.set("message", core::plain_ascii(error.message));
    inner.set("param", core::plain_ascii(error.param));
    inner.set("event_id", request.event_id);
    JsonObject extra;
    extra.set("provider", "").set("model_requested", "").set("request_type", request_type);
    JsonObject body;
    body.set("event_id", request.event_id)
        .set("type", "error")
        .set("is_bifrost_error", true)
        .set("status_code", status);
    body.set("error", inner).set("extra_fields", extra);
    auto reply = answer_json(status, core::json_string(body));
    reply.header("Cache-Control", "no-store").header("Referrer-Policy", "no-referrer");
    if (error.code == ErrorCode::invalid_bearer)
        reply.header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return reply;
}

// A person's mistake leads back to the page where they can correct it, with a word of a closed set.
std::optional<Reply> way_back(const core::Error& error, const Request& request) {
    if (request.path == path::identity_page) return std::nullopt; // it would lead to itself
    const bool mistake =
        error.code == ErrorCode::resource_required || error.code == ErrorCode::identity_required ||
        error.code == ErrorCode::identity_not_allowed ||
        error.code == ErrorCode::invalid_virtual_key || error.code == ErrorCode::invalid_user_id;
    if (!mistake) return std::nullopt;
    const auto form = core::Form::parse(request.method == "POST" ? request.body : request.query);
    const auto flow = form ? read_flow_id(*form) : core::Result<core::FlowId>(core::FlowId());
    if (!flow) return std::nullopt;
    if (error.param == "proof") return answer_redirect(page_of_flow(path::services_page, *flow));
    return answer_redirect(
        page_of_flow(path::identity_page, *flow) +
        "&error=" + std::string(core::traits(error.code).name));
}

// A person sees why before the browser goes on to a program on this computer: it may run on another
// computer, and then nothing answers there.
bool is_shown_first(const core::Error& error, const Request& request) {
    return error.back && error.back->at_once() && navigates(request) &&
           core::describe_redirect(error.back->redirect_uri()).kind ==
               core::RedirectKind::loopback &&
           error.code != ErrorCode::access_refused; // there the person may be let in as another
}

Reply page_answer(const core::Error& error, const Request& request, const WebContext& context) {
    if (error.back && error.back->at_once() && !is_shown_first(error, request) &&
        error.code != ErrorCode::access_refused) {
        return answer_redirect(core::error_location(
            *error.back, core::traits(error.code).oauth_error, error.message, context.deps.policy));
    }
    return answer_error_page(error, request, context);
}

// A browser comes again by itself, because nothing was used up: a code that a service gave, too.
bool comes_again(const core::Error& error, ErrorFormat format, const Request& request) {
    const bool page =
        format == ErrorFormat::page || (format == ErrorFormat::gateway && prefers_html(request));
    return page && request.method == "GET" && error.code == ErrorCode::service_unavailable &&
           error.retry_after_seconds() > 0;
}

Reply add_retry_after(Reply reply, const core::Error& error) {
    const int seconds = error.retry_after_seconds() > 0              ? error.retry_after_seconds()
                        : error.code == ErrorCode::store_unavailable ? 2
                                                                     : 0;
    if (seconds > 0) reply.header("Retry-After", std::to_string(seconds));
    return reply;
}

Reply formatted(
    const core::Error& error, ErrorFormat format, const Request& request, const WebContext& context,
    const std::string& request_type) {
    switch (format) {
    case ErrorFormat::page: return page_answer(error, request, context);
    case ErrorFormat::gateway:
        return prefers_html(request) ? answer_error_page(error, request, context)
                                     : gateway_answer(error, request, request_type);
    case ErrorFormat::oauth: return oauth_answer(error, request, context);
    case ErrorFormat::json: return json_answer(error);
    }
    return json_answer(error);
}

} // namespace

Reply answer(
    const core::Error& error, ErrorFormat format, const Request& request, const WebContext& context,
    const std::string& request_type) {
    if (auto back = way_back(error, request)) return std::move(*back);
    auto reply = add_retry_after(formatted(error, format, request, context, request_type), error);
    if (comes_again(error, format, request))
        reply.header(
            "Refresh", std::to_string(std::min(error.retry_after_seconds(), longest_own_pause)));
    return reply;
}

Reply answer_json(int status, std::string document) {
    Reply reply{status, {}, std::move(document)};
    return reply.header("Content-Type", "application/json")
        .header("X-Content-Type-Options", "nosniff");
}

Reply answer_html(int status, std::string html, Forms forms) {
    Reply reply{status, {}, std::move(html)};
    const std::string form_action = forms == Forms::none   ? " form-action 'none';"
                                    : forms == Forms::ours ? " form-action 'self';"
                                                           : "";
    reply.header("Content-Type", "text/html; charset=utf-8");
    reply.header(
        "Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self';" +
                                       form_action + " frame-ancestors 'none'; base-uri 'none'");
    reply.header("X-Frame-Options", "DENY").header("X-Content-Type-Options", "nosniff");
    return reply.header("Referrer-Policy", forms == Forms::none ? "no-referrer" : "same-origin")
        .header("Cache-Control", "no-store");
}

Reply answer_lasting(const std::string& type, std::string bytes) {
    Reply reply{200, {}, std::move(bytes)};
    return reply.header("Content-Type", type)
        .header("Cache-Control", "public, max-age=31536000, immutable")
        .header("X-Content-Type-Options", "nosniff");
}

Reply answer_redirect(std::string location, int status) {
    Reply reply{status, {}, {}};
    return reply.header("Location", std::move(location))
        .header("Cache-Control", "no-store")
        .header("Referrer-Policy", "no-referrer");
}

void go_on(Reply& reply, int seconds, const std::string& location) {
    reply.header("Refresh", std::to_string(seconds) + "; url=" + location);
}

Reply open_to_browsers(Reply reply) {
    return std::move(
        reply.header("Access-Control-Allow-Origin", "*")
            .header("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id"));
}

// Puts what somebody else chose into one short line of ASCII in quotation marks, so that it can
// pass neither for our words nor for a message of its own.
std::string quoted(const std::string& theirs) {
    constexpr std::size_t max_quoted = 100; // characters
    std::string line;
    for (const char c : theirs) {
        const bool plain = c > ' ' && c <= '~' && c != '"';
        line += plain ? std::string(1, c) : core::percent_encode(std::string_view(&c, 1));
    }
    return "\u201C" + core::display_text(line, max_quoted) + "\u201D";
}

// Lines for the developer of a client: the addresses that did not match, or else the message.
std::vector<std::string> developer_details(
    const core::Error& error, const std::string& language, const WebContext& context) {
    std::vector<std::string> details;
    const auto add = [&](const char* label, const std::string& address) {
        details.push_back(
            context.pages.message(language, label).value_or("") + " " + quoted(address));
    };
    if (const auto* mismatch = error.find<core::RedirectMismatch>()) {
        if (!mismatch->requested.empty()) add("error.detail.refused", mismatch->requested);
        for (const auto& uri : mismatch->registered) add("error.detail.registered", uri);
    } else if (
        !error.message.empty() &&
        (error.back || error.code == ErrorCode::invalid_client_document) &&
        error.code != ErrorCode::access_refused) {
        details.push_back(core::plain_ascii(error.message));
    }
    return details;
}

// The address that led here was cut or broken when somebody copied it. spec: XE7
bool is_cut(const core::Error& error, const Request& request) {
    if (request.method != "GET") return false;
    if (const auto* mismatch = error.find<core::RedirectMismatch>();
        mismatch && core::looks_cut(*mismatch))
        return true;
    const auto query = core::Form::parse(request.query);
    if (!query) return true;
    if (request.path == core::endpoint::authorize)
        return core::looks_cut(read_authorization_request(*query));
    return error.code == ErrorCode::invalid_flow && query->count(field::flow_id) == 1 &&
           !read_flow_id(*query);
}

// The browser sends no cookie of ours to our own page: it keeps none, or began elsewhere.
bool lacks_cookie(const core::Error& error, const Request& request, const WebContext& context) {
    return error.code == ErrorCode::browser_mismatch &&
           !browser_secret(request, context.cookie_name) &&
           (request.method == "GET" || !is_foreign(request, context));
}

// The words of the cause that a person can fix, or else of the error.
std::string words_for(const core::Error& error, const Request& request, const WebContext& context) {
    if (lacks_cookie(error, request, context)) return "no_cookie";
    const bool shape =
        error.code == ErrorCode::invalid_request || error.code == ErrorCode::invalid_client ||
        error.code == ErrorCode::invalid_redirect_uri || error.code == ErrorCode::invalid_flow;
    if (shape && is_cut(error, request)) return "cut_link";
    if (error.code == ErrorCode::access_refused && !error.param.empty())
        return error.param + "_refused";
    return std::string(core::traits(error.code).name);
}

// Where the person whose it is signs in: at their provider, or else by their own page.
std::string signin_as_owner(const Request& request) {
    const auto form = core::Form::parse(request.method == "POST" ? request.body : request.query);
    const auto flow = form ? read_flow_id(*form) : core::Result<core::FlowId>(core::FlowId());
    if (!form || !flow) return path::sessions_page;
    return core::append_query(
        path::signin_start, {{field::flow_id, flow->text}, {field::again, "1"}});
}

// Whom a rule refuses reads as whom they came, and may come as another.
void show_refused_account(
    View& view, const core::Error& error, const Request& request, const WebContext& context) {
    const auto* account = error.find<core::RefusedAccount>();
    if (account == nullptr) return;
    constexpr std::size_t max_shown = 120; // characters
    view.set("account", core::display_text(account->name, max_shown))
        .set("provider", core::display_text(account->provider, max_shown))
        .set("contact", context.deps.policy.access_contact)
        .flag("groups_unknown", account->groups_unknown);
    const auto form = core::Form::parse(request.method == "POST" ? request.body : request.query);
    const auto flow = form ? read_flow_id(*form) : core::Result<core::FlowId>(core::FlowId());
    if (flow && !flow->text.empty() && context.deps.policy.verified_user == core::VerifiedUser::off)
        view.set("another_url", page_of_flow(path::identity_page, *flow));
}

Reply answer_error_page(
    const core::Error& error, const Request& request, const WebContext& context) {
    const auto language = context.pages.language_for(request.accept_language);
    const auto words = [&](const std::string& code, const std::string& part) {
        return context.pages.message(language, "error." + code + "." + part);
    };
    // Errors that only programs meet have no words of their own.
    auto code = words_for(error, request, context);
    if (!words(code, "title")) code = "invalid_request";
    View view;
    for (const auto* part : {"title", "what", "next"})
        view.set(part, words(code, part).value_or(""));
    view.set("event_id", request.event_id);

    auto details = developer_details(error, language, context);
    view.flag("has_details", !details.empty()).texts("details", std::move(details));
    std::string back;
    const bool by_itself = is_shown_first(error, request);
    if (error.back) {
        back = core::error_location(
            *error.back, core::traits(error.code).oauth_error, error.message, context.deps.policy);
        view.set(by_itself ? "later_url" : "return_url", back);
        view.set("return_target", core::describe_redirect(error.back->redirect_uri()).shown);
    }
    if (error.code == ErrorCode::another_user &&
        context.deps.policy.verified_user == core::VerifiedUser::off)
        view.set("signin_url", signin_as_owner(request));
    show_refused_account(view, error, request, context);
    if (const auto* next = error.find<core::ContinueAt>())
        view.set("continue_url", next->url.reveal()).set("continue_target", next->target);
    auto reply = answer_html(
        page_status(error.code), context.pages.render("error", language, std::move(view)),
        Forms::none);
    if (by_itself) go_on(reply, pause_before_app, back);
    return reply;
}

} // namespace consentgate::web
