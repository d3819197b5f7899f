#include "account_row.h"
#include "consent_view.h"
#include "identity_page.h"
#include "resource_question.h"
#include "signin_view.h"

#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/usecase/signin.h"
#include "consentgate/usecase/upstream.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

#include <algorithm>

namespace consentgate::web {
namespace {

constexpr int see_other = 303;

// A flow of the query, and the browser that asks for it.
struct Asked {
    core::FlowView found;
    usecase::BrowserContext browser_context;
};

core::Result<Asked> flow_of(const core::Form& query, const Request& request, WebContext& context) {
    const auto id = read_flow_id(query);
    if (!id) return id.error();
    auto browser_context = browser_context_of(request, context);
    auto found = usecase::open_flow(context.deps, *id, browser_context, request.now);
    if (!found) return found.error();
    return Asked{std::move(*found), std::move(browser_context)};
}

Reply page(
    const char* name, View view, Forms forms, const Request& request, const WebContext& context) {
    const auto language = context.pages.language_for(request.accept_language);
    return answer_html(200, context.pages.render(name, language, std::move(view)), forms);
}

// `error` and `service` of the query name the problem and the service; both are compared with
// closed sets.
std::vector<View> service_rows(
    const std::vector<usecase::ServiceView>& services, const core::Flow& flow,
    const core::Form& query, const WebContext& context, const std::string& language) {
    std::vector<View> rows;
    const auto needed =
        context.deps.policy.known_resource(flow.resource).value_or(core::GuardedResource{}).service;
    const auto words = [&](const std::string& key) {
        return context.pages.message(language, "services." + key).value_or("");
    };
    for (const auto& one : services) {
        const auto& id = one.service.id.text;
        View row;
        row.set("id", id)
            .set("name", one.service.name)
            .set("host", one.service.host())
            .set("flow_id", flow.id.text);
        show_account(row, one);
        row.set(
            "connect_url", core::append_query(
                               path::upstream_authorize,
                               {{field::service_id, id}, {field::flow_id, flow.id.text}}));
        std::string problem;
        if (one.standing == core::Standing::needs_person) problem = words("broken");
        if (query.get("service") == id && query.get("error") == "service_refused")
            problem = words("refused");
        if (query.get("service") == id && query.get("error") == "service_failed")
            problem = words("failed");
        row.flag("needed", id == needed && !one.connected)
            .set("problem", problem); // absent when it is empty
        rows.push_back(std::move(row));
    }
    return rows;
}

Handled to_services_page(const core::Result<core::FlowView>& chosen) {
    if (!chosen) return chosen.error();
    return answer_redirect(page_of_flow(path::services_page, chosen->flow.id));
}

// A browser that opens a program's own kind of address stays where it is, which would be on the
// buttons that were pressed.
bool stays_behind(const std::string& redirect_uri, const Request& request) {
    return navigates(request) &&
           core::describe_redirect(redirect_uri).kind == core::RedirectKind::private_scheme;
}

// Only the browser that consented can make the code again, so an admin's gets the redirect.
Reply lead_on(const usecase::Submitted& submitted, const Request& request) {
    const auto& session = submitted.session;
    if (!submitted.by_admin && stays_behind(session.redirect_uri, request))
        return answer_redirect(page_of_flow(path::done_page, session.flow_id), see_other);
    return answer_redirect(submitted.location.reveal());
}

// A form of our own pages about one flow.
struct FlowForm {
    core::Form form;
    core::FlowId flow;
};

core::Result<FlowForm> read_flow_form(const Request& request, const WebContext& context) {
    auto form = read_own_form(request, context);
    if (!form) return form.error();
    auto flow = read_form_flow_id(*form);
    if (!flow) return flow.error();
    return FlowForm{std::move(*form), std::move(*flow)};
}

} // namespace

Handled get_consent(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto asked = flow_of(*query, request, context);
    if (!asked) return asked.error();
    const auto& [found, browser_context] = *asked;
    const auto& policy = context.deps.policy;
    const auto& identity = found.flow.identity;
    const bool named = identity.is_verified() && !identity.is_person(); // by the web server
    if (named) {
        if (auto admitted = core::check_admitted(identity, policy); !admitted)
            return admitted.error();
    }
    if (asks_resource(found.flow, *query)) {
        auto view = view_of(without_resource(found), request, context);
        show_resources(view, found.flow, *query, policy);
        return page("resource", std::move(view), Forms::leading_on, request, context);
    }
    if (named) return answer_redirect(page_of_flow(path::services_page, found.flow.id));
    const auto providers = usecase::offered_providers(context.deps);
    if (goes_straight(providers, *query, browser_context, policy))
        return answer_redirect(signin_url(providers.front().id, found.flow.id), see_other);
    auto view = view_of(found, request, context);
    const auto mistake = show_mistake(view, *query, providers);
    const bool signs_in =
        show_signin_ways(view, found.flow, providers, browser_context.signed_in, request.now);
    if (!signs_in && usecase::is_entrance_closed(context.deps, request.now))
        view.flag("closed", true);
    else
        show_ways(view, mistake, signs_in, usecase::may_keys_sign_in(context.deps, found), policy);
    // A key is typed here, so its forms end on our own pages, Deny too.
    return page("identity", std::move(view), Forms::ours, request, context);
}

Handled get_consent_mcps(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto asked = flow_of(*query, request, context);
    if (!asked) return asked.error();
    const auto* found = &asked->found;
    const auto& identity = found->flow.identity;
    if (!identity.is_chosen() || found->flow.resource.empty()) {
        return answer_redirect(page_of_flow(path::identity_page, found->flow.id));
    }
    // It was chosen before a reload that no longer lets it in.
    if (auto admitted = core::check_admitted(identity, context.deps.policy); !admitted)
        return admitted.error();
    const auto permitted = usecase::permit_flow(context.deps, *found, identity);
    if (!permitted) return permitted.error();
    auto view = deciding_view(*found, *permitted, request, context);
    const auto name = identity.virtual_key() ? found->virtual_key_name : identity.value;
    show_identity(view, identity, core::display_text(name, 255), asked->browser_context);
    show_needed_proof(view, *permitted, asked->browser_context.signed_in, context, request.now);
    const auto services =
        usecase::list_flow_services(context.deps, found->flow, permitted->rights, request.now);
    view.flag("has_services", !services.empty());
    view.list(
        "services", service_rows(
                        services, found->flow, *query, context,
                        context.pages.language_for(request.accept_language)));
    return page("services", std::move(view), Forms::leading_on, request, context);
}

// The page shows what the earlier consent would give again; only its button finishes anything.
Handled get_consent_remembered(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto asked = flow_of(*query, request, context);
    if (!asked) return asked.error();
    const auto* found = &asked->found;
    const auto earlier = usecase::recall_consent(context.deps, found->flow, request.now);
    if (!earlier) {
        return answer_redirect(page_of_flow(path::identity_page, found->flow.id));
    }
    const auto& identity = earlier->session.identity;
    const auto permitted = usecase::permit_flow(context.deps, *found, identity);
    if (!permitted) return permitted.error();
    auto view = deciding_view(*found, *permitted, request, context);
    const auto& browser_context = asked->browser_context;
    show_identity(
        view, identity, shown_principal(*earlier, browser_context.signed_in), browser_context);
    view.instant("since", earlier->session.created_at);
    std::vector<View> accounts;
    for (const auto& service :
         usecase::list_session_services(context.deps, *earlier, request.now)) {
        if (service.connected) accounts.push_back(View().set("name", service.service.name));
    }
    view.flag("has_accounts", !accounts.empty()).list("accounts", std::move(accounts));
    return page("remembered", std::move(view), Forms::leading_on, request, context);
}

// The browser goes on to the app by itself, and the page that stays behind says so.
Handled get_consent_done(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto id = read_flow_id(*query);
    if (!id) return id.error();
    const auto ending =
        usecase::find_ending(context.deps, *id, browser_context_of(request, context), request.now);
    if (!ending) return ending.error();
    if (!*ending) return answer_redirect(page_of_flow(path::identity_page, *id));
    const auto& over = **ending;
    View view;
    view.flag("denied", over.denied)
        .set(
            "client_name", shown_client(
                               {.own = over.client_name,
                                .id = over.client_id,
                                .redirect_uri = over.redirect_uri}));
    if (over.location) view.set("return_url", over.location->reveal());
    auto reply = page("done", std::move(view), Forms::none, request, context);
    if (over.location) go_on(reply, 0, over.location->reveal());
    return reply;
}

Handled get_style(const Request&, WebContext& context) {
    return answer_lasting("text/css; charset=utf-8", context.pages.stylesheet());
}

Handled get_icon(const Request&, WebContext& context) {
    return answer_lasting("image/svg+xml", context.pages.icon());
}

// An SVG picture can hold scripts and links. Browsers run none of them in a page's picture; the
// policy covers a picture that is opened by itself.
Handled get_logo(const Request&, WebContext& context) {
    const auto& logo = context.pages.logo();
    if (logo.bytes.empty())
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"there is nothing at this address"});
    return answer_lasting(logo.type, logo.bytes)
        .header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
}

Handled post_consent_vk(const Request& request, WebContext& context) {
    const auto sent = read_flow_form(request, context);
    if (!sent) return sent.error();
    const core::Secret typed(sent->form.get(field::virtual_key).value_or(""));
    KeyAttempt attempt(request, context, sent->flow, "page");
    if (auto admitted = attempt.admitted(); !admitted) return admitted.error();
    const auto chosen = usecase::choose_virtual_key(
        context.deps, sent->flow, typed, browser_context_of(request, context), request.now);
    if (!chosen) attempt.check_refusal(chosen.error());
    return to_services_page(chosen);
}

Handled post_consent_user_id(const Request& request, WebContext& context) {
    const auto sent = read_flow_form(request, context);
    if (!sent) return sent.error();
    return to_services_page(usecase::choose_user_id(
        context.deps, sent->flow, sent->form.get(field::user_id),
        browser_context_of(request, context), request.now));
}

Handled post_consent_skip(const Request& request, WebContext& context) {
    const auto sent = read_flow_form(request, context);
    if (!sent) return sent.error();
    return to_services_page(usecase::skip_identity(
        context.deps, sent->flow, browser_context_of(request, context), request.now));
}

Handled post_consent_reuse(const Request& request, WebContext& context) {
    const auto sent = read_flow_form(request, context);
    if (!sent) return sent.error();
    const auto submitted = usecase::reuse_consent(
        context.deps, sent->flow, browser_context_of(request, context), request.now);
    if (!submitted) return submitted.error();
    note_consent(*submitted, "remembered", request, context);
    return lead_on(*submitted, request);
}

// A repeated flow_id is an invalid flow here, and an invalid request at the other forms.
Handled post_consent_submit(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    auto flow = read_flow_id(*form);
    if (!flow) return flow.error();
    auto bearer = core::bearer_credential(request.authorization);
    if (!bearer) return bearer.error();
    std::optional<KeyAttempt> attempt;
    if (*bearer) attempt.emplace(request, context, *flow, "bearer");
    if (attempt && !attempt->admitted()) return attempt->admitted().error();
    const auto submitted = usecase::submit_consent(
        context.deps, {.flow = std::move(*flow), .bearer = std::move(*bearer)},
        browser_context_of(request, context), request.now);
    if (!submitted && attempt) attempt->check_refusal(submitted.error());
    if (!submitted) return submitted.error();
    note_consent(*submitted, submitted->by_admin ? "admin" : "person", request, context);
    return lead_on(*submitted, request);
}

Handled post_consent_deny(const Request& request, WebContext& context) {
    const auto sent = read_flow_form(request, context);
    if (!sent) return sent.error();
    auto denied = usecase::deny_consent(
        context.deps, sent->flow, browser_context_of(request, context), request.now);
    if (!denied) return denied.error();
    const auto& flow = denied->flow;
    context.deps.log.audit(
        "consent_denied", {{"event_id", request.event_id},
                           {"client", flow.client_id.text},
                           {"subject", core::logged_subject(flow)},
                           {"identity_kind", core::name_of(flow.identity.kind)},
                           {"resource", flow.resource},
                           {"address", request.remote_addr}});
    if (sent->form.get(field::from) == "identity" || stays_behind(flow.redirect_uri, request))
        return answer_redirect(page_of_flow(path::done_page, flow.id), see_other);
    return answer_redirect(std::move(denied->location));
}

} // namespace consentgate::web
