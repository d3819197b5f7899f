#include "account_row.h"
#include "signin_view.h"

#include "consentgate/usecase/sessions.h"
#include "consentgate/usecase/signin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

enum class AccountOf { session, person };

// in: session  for which the account can be connected anew; absent: none is left
View account_view(
    AccountOf whose, const usecase::ServiceView& one,
    const std::optional<core::SessionId>& session) {
    View account;
    account.flag("of_session", whose == AccountOf::session);
    account.set("service_id", one.service.id.text).set("service_name", one.service.name);
    account.flag("has_session", session.has_value());
    if (session) account.set("session_id", session->text);
    show_account(account, one);
    return account;
}

View session_row(
    const usecase::OwnSession& own, const usecase::BrowserContext& browser_context,
    const std::string& language, const WebContext& context) {
    const auto& session = own.view.session;
    const auto& policy = context.deps.policy;
    View row;
    row.set("session_id", session.id.text)
        .set(
            "client_name", context.pages.client_name(
                               language, {.own = own.view.client_name,
                                          .id = session.client_id,
                                          .redirect_uri = session.redirect_uri}))
        .set(
            "client_host",
            shown_client(
                {.own = {}, .id = session.client_id, .redirect_uri = session.redirect_uri}));
    row.set("resource_name", shown_resource(session.resource, policy))
        .set("identity_name", shown_principal(own.view, browser_context.signed_in));
    row.instant("since", session.created_at).instant("until", session.expires_at);
    if (session.last_used_at) row.instant("last_used", *session.last_used_at);
    row.set("last_used_from", session.last_used_from);
    std::vector<std::string> scopes;
    for (const auto& scope : session.scope.names()) scopes.push_back(policy.words(scope));
    row.set("scopes", core::join(scopes, ", "));
    row.flag(
        "this_browser", browser_context.signed_in && browser_context.browser == session.browser);
    std::vector<View> services;
    for (const auto& one : own.services)
        services.push_back(account_view(AccountOf::session, one, session.id));
    return row.flag("has_services", !services.empty()).list("services", std::move(services));
}

// The accounts of the person who is signed in. Whichever of their sessions lasts may be the one for
// which an account is connected anew; without one they can be ended alone.
void show_accounts(
    View& page, const std::vector<usecase::OwnSession>& sessions,
    const usecase::BrowserContext& browser_context, const Request& request, WebContext& context) {
    std::optional<core::SessionId> connects;
    for (const auto& own : sessions)
        if (!connects && browser_context.signed_in &&
            own.view.session.identity == browser_context.signed_in->identity())
            connects = own.view.session.id;
    std::vector<View> accounts;
    for (const auto& one : usecase::list_own_accounts(context.deps, browser_context, request.now))
        accounts.push_back(account_view(AccountOf::person, one, connects));
    page.flag("has_accounts", !accounts.empty()).list("accounts", std::move(accounts));
}

// The account that a form is about.
struct OwnAccount {
    std::optional<core::SessionId> session; // absent: the signed-in person's own
    core::ServiceId service;
};
OwnAccount account_in(const core::Form& form) {
    auto session = form.get(field::session_id);
    return {
        session ? std::optional(core::SessionId(std::move(*session))) : std::nullopt,
        core::ServiceId(form.get(field::service_id).value_or(""))};
}

void disconnect_own(
    const core::ServiceId& service, const usecase::BrowserContext& browser_context,
    const Request& request, WebContext& context) {
    if (!usecase::disconnect_own_account(context.deps, service, browser_context, request.now))
        return;
    context.deps.log.audit(
        "account_disconnected",
        {{"event_id", request.event_id},
         {"by", "person"},
         {"service", service.text},
         {"subject", core::short_name_of(browser_context.signed_in->person.id)},
         {"address", request.remote_addr}});
}

core::Checked disconnect(const OwnAccount& account, const Request& request, WebContext& context) {
    const auto browser_context = browser_context_of(request, context);
    if (!browser_context.browser) return core::Nothing{};
    if (!account.session) {
        disconnect_own(account.service, browser_context, request, context);
        return core::Nothing{};
    }
    const auto of = usecase::disconnect_own_service(
        context.deps, *account.session, account.service, browser_context, request.now);
    if (!of) return of.error();
    if (*of)
        context.deps.log.audit(
            "account_disconnected", {{"event_id", request.event_id},
                                     {"service", account.service.text},
                                     {"session", (*of)->id.text},
                                     {"client", (*of)->client_id.text},
                                     {"subject", core::logged_subject(**of)},
                                     {"address", request.remote_addr}});
    return core::Nothing{};
}

// Names the person who is signed in and their other browsers, or the ways to sign in.
// out: whether there are such ways
bool show_signins(
    View& page, const core::Form& query, const usecase::BrowserContext& browser_context,
    const Request& request, WebContext& context) {
    const auto& signed_in = browser_context.signed_in;
    show_signed_in(page, signed_in);
    if (signed_in) {
        std::vector<View> others;
        for (const auto& one : usecase::other_signins(context.deps, *signed_in, request.now))
            others.push_back(
                View().set("signin_id", one.id.text).instant("since", one.signed_in_at));
        page.flag("has_signins", !others.empty()).list("signins", std::move(others));
        return false;
    }
    const auto providers = usecase::offered_providers(context.deps);
    show_providers(page, providers, std::nullopt);
    for (const auto& idp : providers) {
        if (query.get("signed_out") != idp.id.text) continue;
        page.flag("signed_out", true).set("signed_out_title", idp.title);
        if (!idp.end_session_endpoint.empty())
            page.set("signed_out_url", usecase::sign_out_url(context.deps, idp));
    }
    return !providers.empty();
}

Reply back_to_sessions() { return answer_redirect(path::sessions_page); }

} // namespace

// A browser without a cookie has consented to nothing here, and the page says so.
Handled get_sessions(const Request& request, WebContext& context) {
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto browser_context = browser_context_of(request, context);
    const auto language = context.pages.language_for(request.accept_language);
    std::vector<View> rows;
    const auto sessions = usecase::list_own_sessions(context.deps, browser_context, request.now);
    for (const auto& own : sessions)
        rows.push_back(session_row(own, browser_context, language, context));
    View page;
    show_accounts(page, sessions, browser_context, request, context);
    const bool only_links =
        show_signins(page, *query, browser_context, request, context) && rows.empty();
    page.flag("has_sessions", !rows.empty())
        .flag("several", rows.size() > 1)
        .list("sessions", std::move(rows));
    return answer_html(
        200, context.pages.render("sessions", language, std::move(page)),
        only_links ? Forms::none : Forms::leading_on);
}

Handled post_sessions_end(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    if (const auto browser_context = browser_context_of(request, context);
        browser_context.browser) {
        auto id = form->get(field::session_id);
        const auto ended = usecase::end_own_sessions(
            context.deps, id ? std::optional(core::SessionId(std::move(*id))) : std::nullopt,
            browser_context, request.now);
        if (!ended) return ended.error();
        for (const auto& session : *ended)
            context.deps.log.audit(
                "session_ended", {{"event_id", request.event_id},
                                  {"by", "person"},
                                  {"session", session.id.text},
                                  {"client", session.client_id.text},
                                  {"subject", core::logged_subject(session)},
                                  {"address", request.remote_addr}});
    }
    return back_to_sessions();
}

Handled post_sessions_disconnect(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    if (auto done = disconnect(account_in(*form), request, context); !done) return done.error();
    return back_to_sessions();
}

// The person comes back from the service to a page that leads here.
Handled post_sessions_connect(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    const auto change = read_account_change(*form);
    if (!change) return change.error();
    const auto account = account_in(*form);
    const bool another = *change != AccountChange::again;
    if (another)
        if (auto done = disconnect(account, request, context); !done) return done.error();
    if (*change == AccountChange::end) return back_to_sessions();
    const auto location = usecase::connect_own_service(
        context.deps, account.session.value_or(core::SessionId()), account.service,
        another ? core::WhichAccount::another : core::WhichAccount::any,
        browser_context_of(request, context), request.now);
    if (!location) return location.error();
    context.deps.log.event(
        "upstream_authorization",
        {{"event_id", request.event_id}, {"service", account.service.text}, {"step", "started"}});
    return answer_redirect(location->reveal());
}

} // namespace consentgate::web
