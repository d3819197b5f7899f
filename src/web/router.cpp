#include "consentgate/web/router.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/preflight.h"
#include "logged_method.h"

#include <algorithm>
#include <exception>

namespace consentgate::web {
namespace {

using core::ErrorCode;

enum class Cors { closed, open }; // open: any origin, without credentials

// People come with a browser. Where the web server signs them in, it must name them at each of
// their routes.
enum class Audience { programs, people };

// HEAD is GET without the body. Most routes that start or end something do not answer it. Where
// apps and messengers look at a link before a person does, it is 200 and does nothing.
enum class Head { as_get, does_nothing, refused };

enum class Extent { path, below }; // below: the path and everything below it

struct Route {
    std::string_view name; // in logs, and request_type of the gateway shape
    std::string_view method;
    std::string_view path;
    ErrorFormat format;
    Audience audience;
    Cors cors;
    Handler handler;
    Head head = Head::as_get;
    Extent extent = Extent::path;
    std::string_view ending = {}; // of a path below
};

namespace endpoint = core::endpoint;

using enum Audience;
using enum Cors;
using enum ErrorFormat;

constexpr Route routes[] = {
    // Everything below it, so that a browser client sees that a document it probes for is not there
    // (D10).
    {"wellknown", "GET", "/.well-known", json, programs, open, get_wellknown, Head::as_get,
     Extent::below},
    {"oauth_register", "POST", endpoint::register_client, oauth, programs, open, post_register},
    {"oauth_authorize", "GET", endpoint::authorize, page, people, closed, get_authorize,
     Head::does_nothing},
    {"oauth_authorize", "POST", endpoint::authorize, page, people, closed, post_authorize},
    {"oauth_token", "POST", endpoint::token, oauth, programs, open, post_token},
    {"oauth_revoke", "POST", endpoint::revoke, oauth, programs, open, post_revoke},
    {"oauth_introspect", "POST", endpoint::introspect, oauth, programs, closed, post_introspect},
    {"oauth_consent_identity_page", "GET", path::identity_page, page, people, closed, get_consent},
    {"oauth_consent_services_page", "GET", path::services_page, page, people, closed,
     get_consent_mcps},
    {"oauth_consent_remembered_page", "GET", path::remembered_page, page, people, closed,
     get_consent_remembered},
    {"oauth_consent_done_page", "GET", path::done_page, page, people, closed, get_consent_done},
    {"oauth_style", "GET", "/oauth/style.css", page, programs, closed, get_style},
    {"oauth_icon", "GET", "/oauth/icon.svg", page, programs, closed, get_icon},
    {"oauth_logo", "GET", "/oauth/logo", page, programs, closed, get_logo},
    {"oauth_consent_client", "POST", path::client_form, page, people, closed, post_consent_client},
    {"oauth_consent_resource", "POST", "/api/oauth/per-user/consent/resource", gateway, people,
     closed, post_consent_resource},
    {"oauth_consent_vk", "POST", "/api/oauth/per-user/consent/vk", gateway, people, closed,
     post_consent_vk},
    {"oauth_consent_user_id", "POST", "/api/oauth/per-user/consent/user-id", gateway, people,
     closed, post_consent_user_id},
    {"oauth_consent_skip", "POST", "/api/oauth/per-user/consent/skip", gateway, people, closed,
     post_consent_skip},
    {"oauth_consent_reuse", "POST", "/api/oauth/per-user/consent/reuse", gateway, people, closed,
     post_consent_reuse},
    {"oauth_consent_submit", "POST", "/api/oauth/per-user/consent/submit", gateway, people, closed,
     post_consent_submit},
    {"oauth_consent_deny", "POST", "/api/oauth/per-user/consent/deny", gateway, people, closed,
     post_consent_deny},
    {"oauth_upstream_authorize", "GET", path::upstream_authorize, gateway, people, closed,
     get_upstream_authorize, Head::refused},
    {"oauth_upstream_connect", "POST", path::upstream_connect, gateway, people, closed,
     post_upstream_connect},
    {"oauth_upstream_key_page", "GET", endpoint::key_page, page, people, closed, get_upstream_key},
    {"oauth_upstream_key", "POST", path::upstream_key, gateway, people, closed, post_upstream_key},
    {"oauth_upstream_change", "POST", path::upstream_change, gateway, people, closed,
     post_upstream_change},
    {"oauth_callback", "GET", endpoint::callback, gateway, people, closed, get_callback,
     Head::refused, Extent::below},
    // Where the web server signs people in, nobody signs in at a provider, so it need not name them
    // here.
    {"oauth_signin_start", "GET", path::signin_start, page, programs, closed, get_signin_start,
     Head::does_nothing},
    {"oauth_signin_try", "GET", path::signin_try, page, programs, closed, get_signin_try,
     Head::does_nothing},
    {"oauth_signin_go_on", "POST", path::signin_go_on, page, programs, closed, post_signin_go_on},
    {"oauth_signin_out", "POST", path::signin_out, page, programs, closed, post_signin_out},
    {"oauth_signin_callback", "GET", path::signin, page, programs, closed, get_signin_callback,
     Head::refused, Extent::below, path::callback},
    {"oauth_signin_backchannel", "POST", path::signin, oauth, programs, closed,
     post_signin_backchannel, Head::refused, Extent::below, path::backchannel},
    {"oauth_sessions_page", "GET", path::sessions_page, page, people, closed, get_sessions},
    {"oauth_sessions_end", "POST", "/oauth/sessions/end", page, people, closed, post_sessions_end},
    {"oauth_sessions_connect", "POST", "/oauth/sessions/connect", page, people, closed,
     post_sessions_connect},
    {"oauth_sessions_disconnect", "POST", "/oauth/sessions/disconnect", page, people, closed,
     post_sessions_disconnect},
    {"oauth_key_set", "GET", endpoint::key_set, json, programs, open, get_key_set},
    {"oauth_client_metadata", "GET", endpoint::client_metadata, json, programs, closed,
     get_client_metadata},
    {"oauth_client_metadata", "GET", endpoint::client_metadata_below, json, programs, closed,
     get_client_metadata, Head::as_get, Extent::below},
    // Where clients that read no metadata look. Ordinary paths of a site: no shipped file mounts
    // them.
    // The real address asks for the person whom the web server signs in.
    {"oauth_authorize", "GET", "/authorize", page, programs, closed, get_authorize_alias,
     Head::does_nothing},
    {"oauth_authorize", "POST", "/authorize", page, programs, closed, post_authorize},
    {"oauth_token", "POST", "/token", oauth, programs, open, post_token},
    {"oauth_register", "POST", "/register", oauth, programs, open, post_register},
    {"healthz", "GET", "/healthz", json, programs, closed, get_healthz},
    {"readyz", "GET", "/readyz", json, programs, closed, get_readyz},
    {"metrics", "GET", "/metrics", json, programs, closed, get_metrics},
};

constexpr Route unknown_route{"none", "", "", json, programs, closed, nullptr};

bool leads_to(const Request& request, const Route& route) {
    if (request.path == route.path) return true;
    return route.extent == Extent::below && request.path.size() > route.path.size() &&
           request.path.starts_with(route.path) && request.path[route.path.size()] == '/' &&
           request.path.ends_with(route.ending);
}

bool method_fits(const Route& route, const Request& request) {
    if (request.method == route.method) return true;
    return request.method == "HEAD" && route.method == "GET" && route.head != Head::refused;
}

// Several routes can have one address: finds the one that takes the method, else the first.
const Route& find_route(const Request& request) {
    const Route* found = &unknown_route;
    for (const auto& route : routes) {
        if (!leads_to(request, route)) continue;
        if (method_fits(route, request)) return route;
        if (found == &unknown_route) found = &route;
    }
    return *found;
}

// "GET, POST"
std::string methods_at(const Route& address) {
    std::vector<std::string> methods;
    for (const auto& route : routes) {
        if (route.path == address.path && route.ending == address.ending)
            methods.emplace_back(route.method);
    }
    return core::join(methods, ", ");
}

Handled answer_nothing() {
    Reply reply{200, {}, {}};
    return reply.header("Cache-Control", "no-store").header("Referrer-Policy", "no-referrer");
}

Handled handle(const Route& route, const Request& request, WebContext& context) {
    // A web server that asks here whether a request may pass asks the wrong socket, and must not
    // take any answer for a yes.
    if (request.asked == Asked::as_authorizer) {
        return core::make_error(
            ErrorCode::server_error, core::PublicMessage{"this is not the gate"},
            core::LogDetail{"asked as an AUTHORIZER; the gate has a socket of its own"});
    }
    if (route.handler == nullptr)
        return core::make_error(
            ErrorCode::not_found, core::PublicMessage{"there is nothing at this address"});
    if (request.method == "OPTIONS" && route.cors == Cors::open)
        return answer_preflight(request, route.method);
    if (!method_fits(route, request))
        return core::make_error(
            ErrorCode::method_not_allowed,
            core::PublicMessage{"this address takes " + methods_at(route)});
    if (request.query.size() > max_query_bytes)
        return core::make_error(
            ErrorCode::uri_too_long, core::PublicMessage{"the query is longer than 16 KiB"});
    if (request.body_state == BodyState::too_large)
        return core::make_error(
            ErrorCode::too_large, core::PublicMessage{"the body is larger than 64 KiB"});
    if (request.body_state == BodyState::late)
        return core::make_error(
            ErrorCode::request_timeout, core::PublicMessage{"the body took too long to arrive"});
    if (request.body_state == BodyState::refused)
        return core::make_error(
            ErrorCode::service_unavailable,
            core::PublicMessage{"too many requests are being sent slowly; try again"},
            core::LogDetail{"no place for the body"}, {}, core::RetryAfter{1});
    if (request.body_state == BodyState::cut)
        return core::make_error(
            ErrorCode::invalid_request, core::PublicMessage{"the body was cut off"});
    if (route.audience == Audience::people) {
        if (auto principal = core::verified_principal(request.remote_user, context.deps.policy);
            !principal)
            return principal.error();
    }
    if (request.method == "HEAD" && route.head == Head::does_nothing) return answer_nothing();
    return route.handler(request, context);
}

// The one place that catches unexpected exceptions of handlers.
Handled handle_safely(const Route& route, const Request& request, WebContext& context) {
    try {
        return handle(route, request, context);
    } catch (const store::StoreFailure& failure) {
        if (context.write_trials) context.write_trials->doubt();
        const char* message =
            failure.outcome_known()
                ? "the database is away; nothing was changed, try again"
                : "the database went away in the middle, so what you did may or may not be saved; "
                  "try again";
        return core::make_error(
            ErrorCode::store_unavailable, core::PublicMessage{message},
            core::LogDetail{failure.what()});
    } catch (const std::exception& error) {
        return core::make_error(
            ErrorCode::server_error, core::PublicMessage{"something went wrong here"},
            core::LogDetail{error.what()});
    }
}

// Only a browser gets a page for an unknown address.
ErrorFormat format_of(const Route& route, const Request& request) {
    return route.handler == nullptr && prefers_html(request) ? ErrorFormat::page : route.format;
}

} // namespace

Reply dispatch(const Request& request, WebContext& context) {
    const sys::Stopwatch watch;
    const auto& route = find_route(request);
    auto handled = handle_safely(route, request, context);
    auto reply = handled ? std::move(*handled)
                         : answer(
                               handled.error(), format_of(route, request), request, context,
                               std::string(route.name));
    if (!handled && handled.error().code == ErrorCode::method_not_allowed)
        reply.header("Allow", methods_at(route));
    if (route.cors == Cors::open)
        reply.header("Access-Control-Allow-Origin", "*")
            .header("Access-Control-Expose-Headers", "WWW-Authenticate");
    if (auto* metrics = context.deps.metrics) {
        metrics->count(
            sys::Metric::requests,
            {{"route", route.name}, {"status", std::to_string(reply.status)}});
        metrics->observe(sys::Metric::request_seconds, {{"route", route.name}}, watch.taken());
    }
    const auto* error = handled ? nullptr : &handled.error();
    if (error) usecase::count_refusal(context.deps, *error, route.name);
    context.deps.log.event(
        "request", {{"event_id", request.event_id},
                    {"route", route.name},
                    {"method", logged_method(request)},
                    {"status", std::to_string(reply.status)},
                    {"error", error ? core::traits(error->code).name : "-"},
                    {"reason", error ? std::string_view(error->reason) : "-"}});
    return reply;
}

} // namespace consentgate::web
