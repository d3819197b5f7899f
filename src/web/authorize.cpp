#include "consentgate/usecase/authorize.h"

#include "consentgate/core/metadata.h"
#include "consentgate/core/uri.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/client_documents.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"

#include <algorithm>

namespace consentgate::web {

namespace {

// The page that asks whether this app was meant, before anything is asked of the app's host. Its form leads on to the
// client, should the request turn out to be one to refuse at once; Chromium asks form-action about that redirect too.
Reply ask_first(const core::DocumentUrl& document, const core::Form& query, const Request& request, const Site& site) {
    const auto language = site.pages.language_for(request.accept_language);
    View view;
    view.set("client_id_host", document.authority()).set("request", request.query);
    const auto redirect = query.get("redirect_uri").value_or("");
    const auto leads_on = core::refuse_redirect_uri(redirect) ? std::string() : " " + core::describe_redirect(redirect).csp_source;
    return answer_html(200, site.pages.render("client", language, std::move(view)), "'self'" + leads_on);
}

// As it can stand in an address; a query that came in as one does.
bool is_query(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

} // namespace

// An existing cookie is kept, so that two tabs can run two flows; a missing or malformed one is replaced.
Handled get_authorize(const Request& request, Site& site) {
    if (auto admitted = admit(request, site, "authorize", site.limits.authorizations_per_minute); !admitted) return admitted.error();
    const auto query = core::Form::parse(request.query);
    if (!query) return query.error();
    const auto known = browser_secret(request, site.cookie_name);
    const auto secret = known ? *known : site.world.random.secret();
    const auto greet = [&](Reply reply) { return known ? reply : reply.header("Set-Cookie", browser_cookie(secret, site)); };
    const auto document = usecase::document_to_read(site.world, *query, request.now);
    if (!document) return document.error();
    if (*document) return greet(ask_first(**document, *query, request, site));
    const auto flow = usecase::begin_authorize(site.world, *query, core::sha256(secret), request.now, request.remote_user);
    if (!flow) return flow.error();
    if (known) {
        if (const auto recalled = usecase::recall_consent(site.world, *flow, *query, secret, request.now)) {
            note_consent(*recalled, "memory", request, site);
            return answer_redirect(recalled->location.reveal());
        }
    }
    const bool known_person = flow->identity.kind == core::IdentityKind::verified_user; // who need not say who they are
    return greet(answer_redirect(std::string(known_person ? core::path::services_page : core::path::identity_page) + "?flow_id=" + flow->id.text));
}

// A person has seen whose document is to be read: it is, and the authorization request begins again with what it says.
Handled post_consent_client(const Request& request, Site& site) {
    const auto form = read_own_form(request, site);
    if (!form) return form.error();
    if (!browser_secret(request, site.cookie_name)) {
        return core::refuse(core::Fault::browser_mismatch, core::Say{"this sign-in was started in another browser"}, core::Why{"no cookie"});
    }
    if (auto admitted = admit(request, site, "authorize", site.limits.authorizations_per_minute); !admitted) return admitted.error();
    const auto asked = form->get("request").value_or("");
    if (!is_query(asked)) return core::refuse(core::Fault::invalid_request, core::Say{"the authorization request is malformed"}, core::Why{}, "request");
    const auto query = core::Form::parse(asked);
    if (!query) return query.error();
    if (auto read = usecase::read_document(site.world, *query, request.now); !read) return read.error();
    // A query in such an id is allowed and discouraged (section 3): the log is where its operator is warned.
    const auto client = query->get("client_id").value_or("");
    sys::log_event("document", {{"id", request.event_id}, {"client", client}, {"discouraged_query", client.find('?') == std::string::npos ? "no" : "yes"}});
    return answer_redirect(std::string(core::path::authorize) + "?" + asked);
}

} // namespace consentgate::web
