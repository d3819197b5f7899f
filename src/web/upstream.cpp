#include "consentgate/usecase/upstream.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

using usecase::Connection;

// A link to connect a service later. fail: invalid_request
core::Result<usecase::LinkRequest> read_link(const core::Form& form) {
    if (auto once = form.check_not_repeated({field::service_id, field::link}); !once)
        return once.error();
    auto service = read_service_id(form);
    if (!service) return service.error();
    return usecase::LinkRequest{
        .service = std::move(*service), .link = form.get(field::link).value_or("")};
}

// fail: invalid_request, missing_flow_id, invalid_flow
core::Result<usecase::ConnectRequest> read_connect_request(const core::Form& query) {
    if (auto once = query.check_not_repeated({field::service_id, field::flow_id}); !once)
        return once.error();
    auto service = read_service_id(query);
    if (!service) return service.error();
    auto flow = read_flow_id(query);
    if (!flow) return flow.error();
    return usecase::ConnectRequest{.flow = std::move(*flow), .service = std::move(*service)};
}

void log_upstream_authorization(
    const Request& request, const core::ServiceId& service, const WebContext& context) {
    context.deps.log.event(
        "upstream_authorization",
        {{"event_id", request.event_id}, {"service", service.text}, {"step", "started"}});
}

// The page of a link names the app, the person and the service, before the service is contacted.
Handled link_page(const core::Form& query, const Request& request, WebContext& context) {
    const auto sent = read_link(query);
    if (!sent) return sent.error();
    const auto browser_context = browser_context_of(request, context);
    const auto opened = usecase::open_link(context.deps, *sent, browser_context, request.now);
    if (!opened) return opened.error();
    const auto& view = opened->session;
    const auto principal = shown_principal(view, browser_context.signed_in);
    View page;
    const auto language = context.pages.language_for(request.accept_language);
    page.set(
            "client_name", context.pages.client_name(
                               language, {.own = view.client_name,
                                          .id = view.session.client_id,
                                          .redirect_uri = view.session.redirect_uri}))
        .set("service_name", opened->service.name)
        .set("service_host", opened->service.host());
    page.set("identity_name", principal).flag("named", !principal.empty());
    page.flag("typed", view.session.identity.is_typed());
    page.set("mcp_client_id", opened->service.id.text).set("link", sent->link);
    return answer_html(
        200, context.pages.render("connect", language, std::move(page)), Forms::leading_on);
}

// The word in the log, and in the address of the services page.
std::string_view name_of(Connection outcome) {
    switch (outcome) {
    case Connection::connected: return "connected";
    case Connection::refused: return "service_refused";
    case Connection::failed: return "service_failed";
    }
    return "";
}

Reply key_page(
    const core::Service& service, const core::Form& query, const Request& request,
    const WebContext& context) {
    const auto word = query.get("error"); // compared with a closed set; no other text is shown
    View page;
    page.set("service_name", service.name)
        .set("service_host", service.host())
        .set("state", query.get(field::state).value_or(""))
        .flag("refused", word == "service_refused")
        .flag("failed", word == "service_failed")
        .flag("has_error", word == "service_refused" || word == "service_failed");
    const auto language = context.pages.language_for(request.accept_language);
    // A key is typed here, so its form ends on our own pages.
    return answer_html(200, context.pages.render("key", language, std::move(page)), Forms::ours);
}

Reply done_page(
    const usecase::Returned& returned, const Request& request, const WebContext& context) {
    View page;
    page.set("service_name", returned.service.name)
        .flag("connected", returned.outcome == Connection::connected)
        .flag("refused", returned.outcome == Connection::refused)
        .flag("failed", returned.outcome == Connection::failed);
    const auto language = context.pages.language_for(request.accept_language);
    return answer_html(
        200, context.pages.render("connected", language, std::move(page)), Forms::none);
}

void log_outcome(
    const Request& request, const usecase::Returned& returned, const WebContext& context) {
    context.deps.log.event(
        "upstream_authorization", {{"event_id", request.event_id},
                                   {"service", returned.service.id.text},
                                   {"step", name_of(returned.outcome)},
                                   {"reason", returned.reason}});
}

// Page 2, at the row of the service.
Reply lead_to_row(
    const core::FlowId& flow, const core::ServiceId& service, const std::string& problem = {}) {
    return answer_redirect(
        page_of_flow(path::services_page, flow) + problem + "#service-" + service.text);
}

// Back to page 2, or after a link to a page that ends it.
Reply lead_back(
    const usecase::Returned& returned, const Request& request, const WebContext& context) {
    if (!returned.flow) return done_page(returned, request, context);
    const auto problem = returned.outcome == Connection::connected
                             ? std::string()
                             : "&error=" + std::string(name_of(returned.outcome)) +
                                   "&service=" + returned.service.id.text;
    return lead_to_row(*returned.flow, returned.service.id, problem);
}

} // namespace

Handled get_upstream_authorize(const Request& request, WebContext& context) {
    if (auto admitted =
            admit(request, context, "authorize", context.limits.authorizations_per_minute);
        !admitted)
        return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    if (query->count(field::link) > 0) return link_page(*query, request, context);
    const auto sent = read_connect_request(*query);
    if (!sent) return sent.error();
    const auto location = usecase::connect_in_flow(
        context.deps, *sent, browser_context_of(request, context), request.now);
    if (!location) return location.error();
    log_upstream_authorization(request, sent->service, context);
    return answer_redirect(location->reveal());
}

Handled post_upstream_connect(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    const auto sent = read_link(*form);
    if (!sent) return sent.error();
    const auto location = usecase::follow_link(
        context.deps, *sent, browser_context_of(request, context), request.now);
    if (!location) return location.error();
    log_upstream_authorization(request, sent->service, context);
    return answer_redirect(location->reveal());
}

Handled post_upstream_change(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    auto sent = read_connect_request(*form);
    if (!sent) return sent.error();
    const auto change = read_account_change(*form);
    if (!change) return change.error();
    const auto browser_context = browser_context_of(request, context);
    if (*change != AccountChange::again) {
        const auto ended =
            usecase::disconnect_in_flow(context.deps, *sent, browser_context, request.now);
        if (!ended) return ended.error();
        if (const auto& flow = *ended)
            context.deps.log.audit(
                "account_disconnected", {{"event_id", request.event_id},
                                         {"service", sent->service.text},
                                         {"client", flow->client_id.text},
                                         {"subject", core::logged_subject(*flow)},
                                         {"address", request.remote_addr}});
    }
    if (*change == AccountChange::end) return lead_to_row(sent->flow, sent->service);
    if (*change == AccountChange::another) sent->which = core::WhichAccount::another;
    const auto location =
        usecase::connect_in_flow(context.deps, *sent, browser_context, request.now);
    if (!location) return location.error();
    log_upstream_authorization(request, sent->service, context);
    return answer_redirect(location->reveal());
}

Handled get_callback(const Request& request, WebContext& context) {
    const auto at = service_id_below(request.path, core::endpoint::callback);
    if (!at && request.path != core::endpoint::callback)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"there is nothing at this address"});
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto returned = usecase::finish_connect(
        context.deps, read_callback(*query), at, browser_context_of(request, context), request.now);
    if (!returned) return returned.error();
    log_outcome(request, *returned, context);
    return lead_back(*returned, request, context);
}

Handled get_upstream_key(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto service = usecase::open_key_page(
        context.deps, query->parameter(field::state), browser_context_of(request, context),
        request.now);
    if (!service) return service.error();
    return key_page(*service, *query, request, context);
}

Handled post_upstream_key(const Request& request, WebContext& context) {
    // Each attempt is a request to the service.
    if (auto admitted =
            admit(request, context, "authorize", context.limits.authorizations_per_minute);
        !admitted)
        return admitted.error();
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    if (auto once = form->check_not_repeated({field::state, field::api_key}); !once)
        return once.error();
    const auto returned = usecase::connect_by_key(
        context.deps, form->parameter(field::state),
        core::Secret(form->get(field::api_key).value_or("")), browser_context_of(request, context),
        request.now);
    if (!returned) return returned.error();
    log_outcome(request, *returned, context);
    if (returned->outcome == Connection::connected) return lead_back(*returned, request, context);
    return answer_redirect(core::append_query(
        core::endpoint::key_page, {{field::state, form->get(field::state).value_or("")},
                                   {"error", std::string(name_of(returned->outcome))}}));
}

} // namespace consentgate::web
