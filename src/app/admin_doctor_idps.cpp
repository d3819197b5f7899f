// The doctor's questions about identity providers: whether people come back from one, what it
// publishes, and whether our client there is good; and whether our own keys are to be had.
// spec: docs/requirements_signin.md SI13
#include "admin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/signin/assertion.h"
#include "consentgate/usecase/identity_providers.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

using core::IdentityProvider;

constexpr core::Span most_apart{30};
constexpr core::Span warned_before{30 * 86400};

std::string name_of_idp(const IdentityProvider& idp) {
    return "the identity provider " + idp.id.text;
}

// Our own answer to who brings nothing is 400, and 429 when they come too often. The web server's
// is another: it asks people to sign in first, or does not know the address.
// in: what  arrives at the address, for the operator
Finding check_reachable(
    const std::string& what, const std::string& url, const sys::HttpResponse& response) {
    if (!response.answered)
        return {
            Verdict::broken, url + " does not answer: " + response.reason, {}, Cause::web_server};
    if (response.status == 400 || response.status == 429) return {Verdict::ok, what};
    const bool asks = response.status == 401 || response.status == 302 || response.status == 303;
    return {
        Verdict::broken,
        what + ", and the web server answers it with status " + std::to_string(response.status) +
            (asks ? ": it wants a sign-in first" : ": it does not lead to consentgate"),
        "let the web server pass /oauth/signin/ on, without a sign-in of its own",
        response.status >= 500 ? Cause::pages_fail : Cause::mount};
}

Finding check_secret_end(const IdentityProvider& idp, core::Instant now) {
    const auto what = "the client secret at " + name_of_idp(idp);
    const auto fix = "make a new one there, and consentgate-admin idp set " + idp.id.text +
                     " --client-secret-file FILE --secret-expires DAY";
    const auto ends = *idp.secret_expires_at;
    if (ends <= now) return {Verdict::broken, what + " has ended", fix};
    const auto days = (ends - now).count() / 86400;
    const auto in_days = " ends in " + std::to_string(days) + (days == 1 ? " day" : " days");
    if (ends <= now + warned_before) return {Verdict::note, what + in_days, fix};
    return {Verdict::ok, what + in_days};
}

Finding check_clock_of(const IdentityProvider& idp, core::Span ahead) {
    const auto apart = std::max(ahead, -ahead);
    if (apart <= most_apart) return {Verdict::ok, "the clock of " + name_of_idp(idp) + " is ours"};
    return {
        Verdict::note,
        "the clock of " + name_of_idp(idp) + " and ours are " + std::to_string(apart.count()) +
            " seconds apart; at more than 120 nobody can sign in",
        "set this machine's clock by NTP"};
}

Finding check_client(
    const IdentityProvider& idp, const std::pair<usecase::ClientTrial, std::string>& trial) {
    const auto what = name_of_idp(idp);
    switch (trial.first) {
    case usecase::ClientTrial::good: return {Verdict::ok, what + " takes our client and secret"};
    case usecase::ClientTrial::refused:
        return {
            Verdict::broken, what + " does not take our client and secret: " + trial.second,
            "consentgate-admin idp set " + idp.id.text + " --client-secret-file FILE"};
    case usecase::ClientTrial::unknown: break;
    }
    return {
        Verdict::note, what + " does not say whether our client and secret are good (" +
                           trial.second + "); signing in once shows it"};
}

// Where nothing can be said, signing in once shows it, and check_client() says so.
std::vector<Finding> check_redirect(
    Context& context, const IdentityProvider& idp,
    const std::pair<usecase::ClientTrial, std::string>& trial) {
    const auto what = name_of_idp(idp);
    const auto callback = core::signin_callback_url(context.config().policy.issuer, idp.id);
    switch (trial.first) {
    case usecase::ClientTrial::good: return {{Verdict::ok, what + " sends people back to us"}};
    case usecase::ClientTrial::refused:
        return {
            {Verdict::broken, what + " does not take our question: " + trial.second,
             "consentgate-admin idp test " + idp.id.text + "; or enter the redirect address " +
                 callback + " there, at the client " + idp.client_id}};
    case usecase::ClientTrial::unknown: break;
    }
    return {};
}

void ask_idp(Context& context, const IdentityProvider& idp, std::vector<Finding>& findings) {
    const auto fix = "consentgate-admin idp test " + idp.id.text;
    if (idp.secret_expires_at) findings.push_back(check_secret_end(idp, context.now));
    const auto published = usecase::ask_provider(context.service_deps(), idp, context.now);
    if (!published) {
        findings.push_back(
            {Verdict::broken, name_of_idp(idp) + ": " + published.error().message, fix});
        return;
    }
    const auto changed = usecase::provider_differences(idp, *published);
    if (changed.empty())
        findings.push_back(
            {Verdict::ok, name_of_idp(idp) + " is as it was added" +
                              (idp.has_id_tokens() ? ", with " + std::to_string(published->keys) +
                                                         " keys that can be used"
                                                   : std::string())});
    else
        findings.push_back(
            {Verdict::note,
             name_of_idp(idp) +
                 " publishes other data than what is stored: " + core::join(changed, "; "),
             "consentgate-admin idp set " + idp.id.text});
    if (published->clock_ahead) findings.push_back(check_clock_of(idp, *published->clock_ahead));
    findings.push_back(
        check_client(idp, usecase::try_idp_client(context.service_deps(), idp, context.now)));
    for (auto& finding :
         check_redirect(context, idp, usecase::try_idp_redirect(context.service_deps(), idp)))
        findings.push_back(std::move(finding));
}

} // namespace

Finding find_key_set(Context& context, const std::string& base) {
    const auto url = context.config().policy.origin() + core::endpoint::key_set;
    const auto response = context.http().send(
        {.purpose = sys::PlaceKind::discovery, .url = base + core::endpoint::key_set});
    const auto expected = core::AssertionKeys(context.keyring()).key_set();
    if (response.status != 200 || response.body.reveal() == expected)
        return check_document(url, response, expected);
    return {
        Verdict::broken, url + " has other keys than the key file",
        "reload the servers, which read the key file when they start; with several machines, copy "
        "it to each",
        Cause::configuration};
}

std::vector<Finding> find_idps(Context& context, const std::string& base) {
    const auto& issuer = context.config().policy.issuer;
    std::vector<Finding> findings;
    for (const auto& idp : usecase::list_idps(context.deps())) {
        if (!idp.active) continue;
        const auto seen = [&](const std::string& url) {
            return base + url.substr(core::origin_of(url).size());
        };
        const auto callback = core::signin_callback_url(issuer, idp.id);
        findings.push_back(check_reachable(
            "people come back to " + callback, callback,
            context.http().send({.purpose = sys::PlaceKind::discovery, .url = seen(callback)})));
        if (idp.has_id_tokens()) {
            const auto logouts = core::backchannel_logout_url(issuer, idp.id);
            findings.push_back(check_reachable(
                "logouts of the provider come to " + logouts, logouts,
                context.http().send(
                    {.purpose = sys::PlaceKind::discovery,
                     .method = "POST",
                     .url = seen(logouts),
                     .body = core::Secret("logout_token="),
                     .content_type = "application/x-www-form-urlencoded"})));
        }
        ask_idp(context, idp, findings);
        for (auto& finding : find_groups(context, idp)) findings.push_back(std::move(finding));
    }
    return findings;
}

} // namespace consentgate::app::admin
