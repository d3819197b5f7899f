#include "consentgate/web/router.h"

#include "consentgate/core/metadata.h"
#include "consentgate/core/text.h"
#include "consentgate/core/verified_user.h"
#include "consentgate/sys/log.h"
#include "consentgate/web/handlers.h"

#include <algorithm>
#include <exception>

namespace consentgate::web {
namespace {

using core::Fault;

constexpr std::size_t longest_query = 16 * 1024;

enum class Cors { closed, open }; // open: any origin, without credentials

struct Route {
    std::string_view name; // in logs, and request_type of the gateway shape
    std::string_view method;
    std::string_view path;
    bool whole_path; // false: the path and everything below it
    Face face;
    Cors cors;
    Handler handler;
};

namespace path = core::path;

constexpr Route routes[] = {
    // All of it, so that a browser client that probes for documents we do not have can see that we do not (requirement D10).
    {"wellknown", "GET", "/.well-known", false, Face::json, Cors::open, get_wellknown},
    {"oauth_register", "POST", path::register_client, true, Face::oauth, Cors::open, post_register},
    {"oauth_authorize", "GET", path::authorize, true, Face::page, Cors::closed, get_authorize},
    {"oauth_token", "POST", path::token, true, Face::oauth, Cors::open, post_token},
    {"oauth_revoke", "POST", path::revoke, true, Face::oauth, Cors::open, post_revoke},
    {"oauth_introspect", "POST", path::introspect, true, Face::oauth, Cors::closed, post_introspect},
    {"oauth_consent_identity_page", "GET", path::identity_page, true, Face::page, Cors::closed, get_consent},
    {"oauth_consent_services_page", "GET", path::services_page, true, Face::page, Cors::closed, get_consent_mcps},
    {"oauth_style", "GET", "/oauth/style.css", true, Face::page, Cors::closed, get_style},
    {"oauth_logo", "GET", "/oauth/logo", true, Face::page, Cors::closed, get_logo},
    {"oauth_consent_client", "POST", path::client_form, true, Face::page, Cors::closed, post_consent_client},
    {"oauth_consent_vk", "POST", "/api/oauth/per-user/consent/vk", true, Face::gateway, Cors::closed, post_consent_vk},
    {"oauth_consent_user_id", "POST", "/api/oauth/per-user/consent/user-id", true, Face::gateway, Cors::closed, post_consent_user_id},
    {"oauth_consent_skip", "POST", "/api/oauth/per-user/consent/skip", true, Face::gateway, Cors::closed, post_consent_skip},
    {"oauth_consent_submit", "POST", "/api/oauth/per-user/consent/submit", true, Face::gateway, Cors::closed, post_consent_submit},
    {"oauth_consent_deny", "POST", "/api/oauth/per-user/consent/deny", true, Face::gateway, Cors::closed, post_consent_deny},
    {"oauth_upstream_authorize", "GET", path::upstream_authorize, true, Face::gateway, Cors::closed, get_upstream_authorize},
    {"oauth_upstream_connect", "POST", path::upstream_connect, true, Face::gateway, Cors::closed, post_upstream_connect},
    {"oauth_callback", "GET", path::callback, true, Face::gateway, Cors::closed, get_callback},
    {"oauth_sessions_page", "GET", path::sessions_page, true, Face::page, Cors::closed, get_sessions},
    {"oauth_sessions_end", "POST", "/oauth/sessions/end", true, Face::page, Cors::closed, post_sessions_end},
    {"oauth_sessions_disconnect", "POST", "/oauth/sessions/disconnect", true, Face::page, Cors::closed, post_sessions_disconnect},
    {"oauth_client_metadata", "GET", path::client_metadata, true, Face::json, Cors::closed, get_client_metadata},
    {"healthz", "GET", "/healthz", true, Face::json, Cors::closed, get_healthz},
    {"readyz", "GET", "/readyz", true, Face::json, Cors::closed, get_readyz},
    {"metrics", "GET", "/metrics", true, Face::json, Cors::closed, get_metrics},
};

constexpr Route nowhere{"none", "", "", true, Face::json, Cors::closed, nullptr};

const Route& find_route(const Request& request) {
    for (const auto& route : routes) {
        if (request.path == route.path) return route;
        const bool below = request.path.size() > route.path.size() && request.path.starts_with(route.path) && request.path[route.path.size()] == '/';
        if (!route.whole_path && below) return route;
    }
    return nowhere;
}

// HEAD is GET without the body, for documents and pages; what starts or ends something is not for looking at.
bool method_fits(const Route& route, const Request& request) {
    if (request.method == route.method) return true;
    return request.method == "HEAD" && route.method == "GET" && route.path != path::authorize && route.path != path::upstream_authorize && route.path != path::callback;
}

// What people come to with a browser, and programs never do. Where the web server says who they are, it must say so at each of these.
bool is_for_people(const Route& route) {
    return (route.face == Face::page || route.face == Face::gateway) && route.handler != get_style && route.handler != get_logo;
}

Reply answer_preflight(const Route& route) {
    Reply reply{204, {}, {}};
    reply.header("Access-Control-Allow-Methods", std::string(route.method) + ", OPTIONS");
    reply.header("Access-Control-Allow-Headers", "Content-Type, Authorization, MCP-Protocol-Version");
    return reply.header("Access-Control-Max-Age", "3600");
}

Handled handle(const Route& route, const Request& request, Site& site) {
    // A web server that asks here whether something may pass is asking the wrong socket, and no answer of ours may be a yes.
    if (request.asked == Asked::as_authorizer) {
        return core::refuse(Fault::server_error, core::Say{"this is not the gate"}, core::Why{"asked as an AUTHORIZER; the gate has a socket of its own"});
    }
    if (route.handler == nullptr) return core::refuse(Fault::not_found, core::Say{"there is nothing at this address"});
    if (request.method == "OPTIONS" && route.cors == Cors::open) return answer_preflight(route);
    if (!method_fits(route, request)) return core::refuse(Fault::method_not_allowed, core::Say{"this address takes " + std::string(route.method)});
    if (request.query.size() > longest_query) return core::refuse(Fault::uri_too_long, core::Say{"the query is longer than 16 KiB"});
    if (request.body_state == BodyState::too_large) return core::refuse(Fault::too_large, core::Say{"the body is larger than 64 KiB"});
    if (request.body_state == BodyState::late) return core::refuse(Fault::request_timeout, core::Say{"the body took too long to arrive"});
    if (request.body_state == BodyState::cut) return core::refuse(Fault::invalid_request, core::Say{"the body was cut off"});
    if (is_for_people(route)) {
        if (auto asker = core::judge_asker(request.remote_user, site.world.policy); !asker) return asker.error();
    }
    return route.handler(request, site);
}

// The one boundary: below it nothing catches what it does not expect.
Handled handle_safely(const Route& route, const Request& request, Site& site) {
    try {
        return handle(route, request, site);
    } catch (const store::StoreFailure& failure) {
        const char* say = failure.outcome_known() ? "the database is away; nothing was changed, try again"
                                                  : "the database went away in the middle, so what you did may or may not be saved; try again";
        return core::refuse(Fault::store_unavailable, core::Say{say}, core::Why{failure.what()});
    } catch (const std::exception& error) {
        return core::refuse(Fault::server_error, core::Say{"something went wrong here"}, core::Why{error.what()});
    }
}

// The page face is for people: a wrong address gets a page only from a browser.
Face face_of(const Route& route, const Request& request) {
    return route.handler == nullptr && prefers_html(request) ? Face::page : route.face;
}

} // namespace

Reply dispatch(const Request& request, Site& site) {
    const sys::Stopwatch watch;
    const auto& route = find_route(request);
    auto handled = handle_safely(route, request, site);
    auto reply = handled ? std::move(*handled) : answer(handled.error(), face_of(route, request), request, site, std::string(route.name));
    if (!handled && handled.error().fault == Fault::method_not_allowed) reply.header("Allow", std::string(route.method));
    if (route.cors == Cors::open) reply.header("Access-Control-Allow-Origin", "*").header("Access-Control-Expose-Headers", "WWW-Authenticate");
    if (auto* metrics = site.world.metrics) {
        metrics->count(sys::Metric::requests, {{"route", route.name}, {"status", std::to_string(reply.status)}});
        metrics->observe(sys::Metric::request_seconds, {{"route", route.name}}, watch.taken());
    }
    const auto* error = handled ? nullptr : &handled.error();
    sys::log_event("request", {{"id", request.event_id}, {"route", route.name}, {"method", request.method}, {"status", std::to_string(reply.status)},
                               {"fault", error ? core::traits(error->fault).name : "-"}, {"why", error ? std::string_view(error->why) : "-"}});
    return reply;
}

} // namespace consentgate::web
