// Signing in on trial: the operator's link, and the page with what came.
#include "signin_view.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/signin_trial.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

constexpr int gone = 410, see_other = 303;

Reply show(const Request& request, const WebContext& context, int status, View page) {
    const auto language = context.pages.language_for(request.accept_language);
    return answer_html(
        status, context.pages.render("trial", language, std::move(page)), Forms::none);
}

Reply not_good(const Request& request, const WebContext& context) {
    return show(request, context, gone, View().flag("over", true));
}

} // namespace

Reply trial_page(
    const core::TrialReport& report, const std::string& idp_title, const Request& request,
    const WebContext& context) {
    View page;
    page.set("idp_title", idp_title);
    if (!report.problem.empty())
        return show(request, context, 200, std::move(page.set("problem", report.problem)));
    std::vector<View> claims;
    for (const auto& claim : report.claims)
        claims.push_back(
            View().set("name", claim.name).set("value", claim.value).set("source", claim.source));
    page.flag("worked", true)
        .list("claims", std::move(claims))
        .set("issuer", report.issuer)
        .set("subject", report.subject)
        .set("name", report.name)
        .set("email", report.email)
        .set("groups", core::join(report.groups, ", "))
        .flag("groups_unknown", !report.groups_known)
        .texts("kept", report.kept)
        .flag("has_rules", !report.rules.empty())
        .texts("rules", report.rules)
        .flag("has_hints", !report.hints.empty())
        .texts("hints", report.hints);
    return show(request, context, 200, std::move(page));
}

// A link that a browser looks at ahead, or that a mail program checks, must stay good.
Handled get_signin_try(const Request& request, WebContext& context) {
    if (request.fetch_purpose)
        return core::make_error(
            core::ErrorCode::service_unavailable,
            core::PublicMessage{"a person must open this address"},
            core::LogDetail{"a browser looks ahead"});
    const int limit = context.limits.failed_authentications_per_minute;
    if (auto admitted = admit(request, context, "signin", limit); !admitted)
        return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    if (query->count(field::link) != 1) return not_good(request, context);
    auto browser_context = browser_context_of(request, context);
    const bool known = browser_context.browser.has_value();
    const auto secret = known ? *browser_context.secret : context.deps.random.secret();
    if (!known) browser_context.browser = core::sha256(secret);
    const auto location = usecase::open_trial(
        context.deps, core::Secret(query->get(field::link).value_or("")), browser_context,
        request.now);
    if (!location) return not_good(request, context);
    context.rates.forgive("signin", core::caller_of(request.remote_addr), limit, request.now);
    auto reply = answer_redirect(location->reveal(), see_other);
    if (!known) reply.header("Set-Cookie", browser_cookie(secret, context));
    return reply;
}

} // namespace consentgate::web
