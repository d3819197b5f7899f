#include "signin_view.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/signin.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

using core::SigninOutcome;

constexpr int see_other = 303;
constexpr std::size_t shown_digits = 8;

std::string short_browser(const usecase::BrowserContext& browser_context) {
    return browser_context.browser ? browser_context.browser->hex.substr(0, shown_digits) : "-";
}

std::optional<core::Digest> signin_cookie_digest(
    const Request& request, const WebContext& context) {
    const auto secret = signin_secret(request, context);
    return secret ? std::optional(core::sha256(*secret)) : std::nullopt;
}

// A flow is there or not; where it is there, it is well-formed.
core::Result<std::optional<core::FlowId>> optional_flow(const core::Form& form) {
    using Flow = std::optional<core::FlowId>;
    if (form.count(field::flow_id) == 0) return Flow();
    return read_flow_id(form).transform([](auto id) { return Flow(std::move(id)); });
}

// Page 2 follows, or the question that comes before it.
Reply lead_into_flow(const core::Flow& flow) {
    return answer_redirect(
        page_of_flow(flow.resource.empty() ? path::identity_page : path::services_page, flow.id),
        see_other);
}

int status_of(SigninOutcome outcome) {
    switch (outcome) {
    case SigninOutcome::signed_in:
    case SigninOutcome::tried:
    case SigninOutcome::late: return 200;
    case SigninOutcome::denied:
    case SigninOutcome::failed: return 400;
    case SigninOutcome::refused: return 403;
    case SigninOutcome::unavailable: return 503;
    }
    return 500;
}

Reply outcome_page(
    const usecase::SigninReturn& returned, const Request& request, const WebContext& context) {
    const auto outcome = returned.outcome;
    View page;
    page.set("idp_title", returned.title).flag(std::string(core::name_of(outcome)), true);
    const auto flow = returned.flow ? std::optional(returned.flow->id) : std::nullopt;
    const bool leads_back = outcome == SigninOutcome::refused && flow;
    if (returned.person) {
        constexpr std::size_t longest = 120;
        const auto& person = *returned.person;
        page.set(
            "person",
            core::display_text(person.email.empty() ? person.name : person.email, longest));
    }
    if (outcome == SigninOutcome::refused) {
        page.set("another_url", signin_url(returned.idp, flow, true))
            .flag("groups_unknown", returned.person && !returned.person->groups_known)
            .set("contact", context.deps.policy.access_contact);
        if (leads_back) page.set("deny_flow", flow->text);
    } else if (outcome != SigninOutcome::late) {
        page.set("event_id", request.event_id)
            .set(
                "again_url",
                flow ? page_of_flow(path::identity_page, *flow) : std::string(path::sessions_page));
    }
    const auto language = context.pages.language_for(request.accept_language);
    auto reply = answer_html(
        status_of(outcome), context.pages.render("signin", language, std::move(page)),
        leads_back ? Forms::leading_on : Forms::none);
    if (outcome == SigninOutcome::unavailable)
        reply.header("Retry-After", std::to_string(std::max(1, returned.retry_after)));
    return reply;
}

// Where the person goes on: the row of the sign-in says it, and nothing of the query.
Reply lead_back(
    const usecase::SigninReturn& returned, const Request& request, const WebContext& context) {
    const auto& flow = returned.flow;
    if (returned.trial) return trial_page(*returned.trial, returned.title, request, context);
    if (returned.outcome == SigninOutcome::signed_in) {
        if (flow) return lead_into_flow(*flow);
        return answer_redirect(path::sessions_page, see_other);
    }
    if (returned.outcome == SigninOutcome::denied && flow)
        return answer_redirect(
            core::append_query(
                path::identity_page, {{field::flow_id, flow->id.text},
                                      {"error", "signin_denied"},
                                      {field::idp, returned.idp.text}}),
            see_other);
    return outcome_page(returned, request, context);
}

void log_return(
    const usecase::SigninReturn& returned, const usecase::BrowserContext& browser_context,
    const Request& request, const WebContext& context) {
    const auto outcome = std::string(core::name_of(returned.outcome));
    context.deps.count(sys::Metric::signins, {{"idp", returned.idp.text}, {"outcome", outcome}});
    context.deps.log.event(
        "signin", {{"event_id", request.event_id},
                   {"idp", returned.idp.text},
                   {"outcome", outcome},
                   {"reason", returned.reason.empty() ? "-" : returned.reason}});
    if (!returned.person) return;
    const auto subject = core::short_name_of(returned.person->id);
    const auto browser = short_browser(browser_context);
    if (returned.cookie)
        context.deps.log.audit(
            "signed_in", {{"event_id", request.event_id},
                          {"subject", subject},
                          {"idp", returned.idp.text},
                          {"browser", browser}});
    else
        context.deps.log.audit(
            "signin_refused", {{"event_id", request.event_id},
                               {"subject", subject},
                               {"idp", returned.idp.text},
                               {"browser", browser}});
}

} // namespace

// A browser that looks ahead must not begin anything, and asks again when the person comes.
Handled get_signin_start(const Request& request, WebContext& context) {
    if (request.fetch_purpose)
        return core::make_error(
            core::ErrorCode::service_unavailable,
            core::PublicMessage{"a person must open this address"},
            core::LogDetail{"a browser looks ahead"});
    if (auto admitted =
            admit(request, context, "authorize", context.limits.authorizations_per_minute);
        !admitted)
        return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    if (auto once = query->check_not_repeated({field::idp, field::flow_id, field::again}); !once)
        return once.error();
    auto flow = optional_flow(*query);
    if (!flow) return flow.error();
    auto browser_context = browser_context_of(request, context);
    const bool known = browser_context.browser.has_value();
    const auto secret = known ? *browser_context.secret : context.deps.random.secret();
    if (!known && !*flow) browser_context.browser = core::sha256(secret);
    const auto location = usecase::start_signin(
        context.deps,
        {.idp = core::IdpId(query->get(field::idp).value_or("")),
         .flow = std::move(*flow),
         .another = query->get(field::again) == "1",
         .cookie = signin_cookie_digest(request, context)},
        browser_context, request.now);
    if (!location) return location.error();
    auto reply = answer_redirect(location->reveal(), see_other);
    if (!known) reply.header("Set-Cookie", browser_cookie(secret, context));
    return reply;
}

// Only answers that do not work count against the address they come from.
Handled get_signin_callback(const Request& request, WebContext& context) {
    const auto at = service_id_below(request.path, path::signin, path::callback);
    if (!at)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"there is nothing at this address"});
    const int limit = context.limits.failed_authentications_per_minute;
    if (auto admitted = admit(request, context, "signin", limit); !admitted)
        return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto browser_context = browser_context_of(request, context);
    auto returned = usecase::finish_signin(
        context.deps, read_callback(*query), core::IdpId(at->text), browser_context,
        signin_cookie_digest(request, context), request.now);
    if (!returned) return returned.error();
    if (const auto number = core::microsoft_number(query->get("error_description").value_or(""));
        !number.empty() && !returned->reason.empty())
        returned->reason += ", " + number;
    if (returned->outcome != SigninOutcome::failed)
        context.rates.forgive("signin", core::caller_of(request.remote_addr), limit, request.now);
    log_return(*returned, browser_context, request, context);
    auto reply = lead_back(*returned, request, context);
    if (returned->cookie) reply.header("Set-Cookie", signin_cookie(*returned->cookie, context));
    return reply;
}

Handled post_signin_go_on(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    const auto flow = read_form_flow_id(*form);
    if (!flow) return flow.error();
    const auto chosen = usecase::go_on_signed_in(
        context.deps, *flow, browser_context_of(request, context), request.now);
    if (!chosen) return chosen.error();
    return lead_into_flow(chosen->flow);
}

Handled post_signin_out(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    const auto browser_context = browser_context_of(request, context);
    const auto audit = [&](const core::SignedIn& signed_in, const char* where) {
        context.deps.log.audit(
            "signed_out", {{"event_id", request.event_id},
                           {"subject", core::short_name_of(signed_in.person.id)},
                           {"idp", signed_in.person.idp.text},
                           {"where", where},
                           {"browser", short_browser(browser_context)}});
    };
    if (const auto there = form->get(field::signin_id)) {
        const auto ended = usecase::sign_out_there(
            context.deps, core::SigninId(*there), browser_context, request.now);
        if (!ended) return ended.error();
        if (*ended == store::Applied::yes) audit(*browser_context.signed_in, "there");
        return answer_redirect(path::sessions_page, see_other);
    }
    const auto flow = optional_flow(*form);
    if (!flow) return flow.error();
    const auto ended = usecase::sign_out(context.deps, *flow, browser_context, request.now);
    if (ended) audit(*ended, "here");
    if (*flow) return answer_redirect(page_of_flow(path::identity_page, **flow), see_other);
    auto next = std::string(path::sessions_page);
    if (ended) next = core::append_query(next, {{"signed_out", ended->person.idp.text}});
    return answer_redirect(next, see_other);
}

} // namespace consentgate::web
