#include "consent_view.h"

#include "signin_view.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/core/oauth/client_links.h"

#include <algorithm>

namespace consentgate::web {
namespace {

using core::RedirectKind;

constexpr std::size_t long_question = 48; // characters that two lines of the heading hold

// The links that the client gives, where they are proven to be its own.
void show_links(View& view, const core::FlowView& found) {
    const auto links = core::client_links(
        {.id = found.flow.client_id,
         .metadata = found.client_metadata,
         .redirect_uri = found.flow.redirect_uri,
         .by_operator = found.client_by_operator});
    view.set("about_url", links.about)
        .set("terms_url", links.terms)
        .set("privacy_url", links.privacy)
        .flag("has_links", !(links.about + links.terms + links.privacy).empty());
}

void show_redirect(View& view, const std::string& redirect_uri) {
    const auto target = core::describe_redirect(redirect_uri);
    view.flag("redirect_https", target.kind == RedirectKind::https)
        .flag("redirect_loopback", target.kind == RedirectKind::loopback)
        .flag("redirect_scheme", target.kind == RedirectKind::private_scheme)
        .flag("redirect_local", target.kind != RedirectKind::https)
        .set("redirect_target", target.shown);
}

void show_scopes(View& view, const core::Flow& flow, const core::Policy& policy) {
    std::vector<View> scopes;
    for (const auto& scope : flow.scope.names())
        scopes.push_back(View().set("words", policy.words(scope)));
    view.flag("shows_scopes", !scopes.empty() || !flow.resource.empty())
        .flag("has_scopes", !scopes.empty())
        .list("scopes", std::move(scopes));
}

} // namespace

View view_of(const core::FlowView& found, const Request& request, const WebContext& context) {
    const auto& flow = found.flow;
    const auto& policy = context.deps.policy;
    const auto seconds = (flow.expires_at - request.now).count();
    const auto minutes = std::max<std::int64_t>(1, (seconds + 59) / 60);
    const auto client_name = context.pages.client_name(
        context.pages.language_for(request.accept_language),
        {.own = found.client_name, .id = flow.client_id, .redirect_uri = flow.redirect_uri});
    // While the person has to choose a resource, nothing is known but this server.
    const auto host = core::authority_of(flow.resource.empty() ? policy.issuer : flow.resource);

    View view;
    view.set("flow_id", flow.id.text)
        .set("client_name", client_name)
        .set("resource_host", host)
        .flag("long_question", core::count_characters(client_name + host) > long_question);
    view.flag("client_unverified", !found.client_by_operator);
    if (core::names_document(flow.client_id))
        view.set(
            "client_id_host",
            core::lower_ascii(
                core::split_uri(flow.client_id.text).value_or(core::UriParts{}).host));
    view.set("resource_name", shown_resource(flow.resource, policy))
        .flag("resource_by_person", flow.resource_by_person);
    view.set("minutes_left", std::to_string(minutes)).flag("minutes_plural", minutes > 1);
    show_redirect(view, flow.redirect_uri);
    show_links(view, found);
    show_scopes(view, flow, policy);
    return view;
}

View deciding_view(
    core::FlowView found, const usecase::PermittedFlow& permitted, const Request& request,
    const WebContext& context) {
    const auto& policy = context.deps.policy;
    found.flow = permitted.flow;
    auto view = view_of(found, request, context);
    std::vector<std::string> refused;
    for (const auto& scope : permitted.refused.names()) refused.push_back(policy.words(scope));
    view.flag("decides", true).set("refused_scopes", core::join(refused, ", "));
    const bool refreshes = found.client_refreshes && policy.refreshes();
    return view.instant(
        "until", request.now + (refreshes ? policy.refresh_lifetime : policy.session_lifetime));
}

void show_identity(
    View& view, const core::Identity& identity, const std::string& name,
    const usecase::BrowserContext& browser_context) {
    if (identity.is_person()) {
        view.flag("identity_person", true);
        show_signed_in(view, browser_context.signed_in);
        view.set("identity_name", shown_person(identity, browser_context.signed_in));
        return;
    }
    view.flag("identity_" + std::string(core::name_of(identity.kind)), true)
        .set("identity_name", name);
}

} // namespace consentgate::web
