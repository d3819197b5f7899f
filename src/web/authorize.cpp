#include "consentgate/usecase/authorize.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/usecase/client_documents.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

#include <algorithm>

namespace consentgate::web {

namespace {

// The page that asks whether this app was meant, before we request anything from the app's host. A
// request that is then refused redirects the form's answer to the client.
Reply ask_first(
    const core::DocumentUrl& document, const Request& request, const WebContext& context) {
    const auto language = context.pages.language_for(request.accept_language);
    View view;
    view.set("client_id_host", document.authority()).set("request", request.query);
    return answer_html(
        200, context.pages.render("client", language, std::move(view)), Forms::leading_on);
}

// spec: Fetch Metadata Request Headers, section 2.3. Browsers that do not send it ask everything.
core::Arrival arrival_of(const Request& request) {
    return request.fetch_site == "none" ? core::Arrival::opened : core::Arrival::linked;
}

// Only characters that may stand in an address.
bool is_query(std::string_view text) {
    return std::all_of(
        text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

constexpr int found = 302, see_other = 303;

// The browser goes on to the request that begins a flow.
Handled lead_to_authorize(const std::string& query, int status) {
    if (is_query(query))
        return answer_redirect(std::string(core::endpoint::authorize) + "?" + query, status);
    return core::make_error(
        core::ErrorCode::invalid_request,
        core::PublicMessage{"the authorization request is malformed"}, core::LogDetail{},
        "request");
}

} // namespace

// Keeps an existing cookie, so that two tabs can run two flows; replaces a missing or malformed
// one.
Handled get_authorize(const Request& request, WebContext& context) {
    if (auto admitted =
            admit(request, context, "authorize", context.limits.authorizations_per_minute);
        !admitted)
        return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto known = browser_secret(request, context.cookie_name);
    const auto secret = known ? *known : context.deps.random.secret();
    const auto greet = [&](Reply reply) {
        return known ? reply : reply.header("Set-Cookie", browser_cookie(secret, context));
    };
    const auto sent = read_authorization_request(*query);
    const auto document = usecase::document_to_read(context.deps, sent, request.now);
    if (!document) return document.error();
    if (*document) return greet(ask_first(**document, request, context));
    const auto flow = usecase::begin_authorize(
        context.deps, sent, core::sha256(secret), request.now, request.remote_user,
        browser_context_of(request, context).signed_in);
    if (!flow) return flow.error();
    const bool offered =
        core::may_offer_reuse(*flow, arrival_of(request), sent.prompt.value, context.deps.policy) &&
        usecase::recall_consent(context.deps, *flow, request.now);
    const bool skips_identity = flow->identity.is_verified() && !flow->resource.empty();
    const auto* next = offered          ? path::remembered_page
                       : skips_identity ? path::services_page
                                        : path::identity_page;
    return greet(answer_redirect(page_of_flow(next, flow->id)));
}

// A form of another site arrives without our cookie, and a new one would end every open flow of
// this browser. So nothing begins here: the browser is sent to the request that begins it.
// spec: OAuth 2.1 section 3.1; docs/requirements.md XE6
Handled post_authorize(const Request& request, WebContext&) {
    if (auto form = read_form(request); !form) return form.error();
    const auto* joint = request.query.empty() || request.body.empty() ? "" : "&";
    const auto query = request.query + joint + request.body;
    if (query.size() > max_query_bytes)
        return core::make_error(
            core::ErrorCode::too_large,
            core::PublicMessage{"an authorization request is at most 16 KiB"});
    return lead_to_authorize(query, see_other);
}

Handled get_authorize_alias(const Request& request, WebContext&) {
    return lead_to_authorize(request.query, found);
}

// The person has seen whose document is to be read: reads it, and begins the authorization request
// again.
Handled post_consent_client(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    if (!browser_secret(request, context.cookie_name)) {
        return core::make_error(
            core::ErrorCode::browser_mismatch,
            core::PublicMessage{"this sign-in was started in another browser"},
            core::LogDetail{"no cookie"});
    }
    if (auto admitted =
            admit(request, context, "authorize", context.limits.authorizations_per_minute);
        !admitted)
        return admitted.error();
    const auto asked = form->get("request").value_or("");
    auto back = lead_to_authorize(asked, found);
    const auto query = core::Form::parse(asked);
    if (!back || !query) return back ? query.error() : back.error();
    const auto sent = read_authorization_request(*query);
    if (auto read = usecase::read_document(
            context.deps, sent, core::caller_of(request.remote_addr), request.now);
        !read)
        return read.error();
    // Client id metadata documents allow a query in such an id and discourage it, so the log warns
    // the operator.
    const auto client = sent.client_id.value.value_or("");
    context.deps.log.event(
        "client_document",
        {{"event_id", request.event_id},
         {"client", client},
         {"discouraged_query", client.find('?') == std::string::npos ? "no" : "yes"}});
    return back;
}

} // namespace consentgate::web
