#include "consentgate/core/oauth/access.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"

namespace consentgate::core {

namespace {

Error invalid_token(const std::string& reason) {
    return make_error(
        ErrorCode::invalid_bearer, PublicMessage{"the access token is not valid"},
        LogDetail{reason});
}

// For people, in one short line of ASCII: "profile (Know your name), admin".
std::string in_words(const ScopeSet& scope, const Policy& policy) {
    constexpr std::size_t max_bytes = 300;
    std::string all;
    for (const auto& name : scope.names()) {
        const auto words = policy.words(name);
        const bool plain = words != name && plain_ascii(words) == words;
        all += (all.empty() ? "" : ", ") + name + (plain ? " (" + words + ")" : "");
    }
    return all.size() <= max_bytes ? all : scope.text().substr(0, max_bytes);
}

} // namespace

Checked check_lasts(const SessionView& view, Instant now) {
    const auto& session = view.session;
    if (session.revoked_at) return invalid_token("revoked");
    if (session.expires_at <= now) return invalid_token("expired");
    if (!view.client_active) return invalid_token("its client is disabled");
    if (session.identity.virtual_key() && (!view.virtual_key || !view.virtual_key->usable(now)))
        return invalid_token("its virtual key is disabled or expired");
    return Nothing{};
}

Checked check_person(const Identity& identity, const AccessStanding& standing) {
    const auto& person = standing.person;
    const bool fine = identity.is_person() ? person && person->stands()
                                           : !person || !person->disabled_at; // of the web server
    if (fine) return Nothing{};
    return invalid_token(
        !person               ? "its person was forgotten"
        : person->disabled_at ? "its person is disabled"
                              : "its identity provider is switched off");
}

Checked check_session(const SessionView& view, const Policy& policy, Instant now) {
    if (auto lasts = check_lasts(view, now); !lasts) return lasts;
    if (auto stands = check_person(view.session.identity, view.standing); !stands) return stands;
    const auto admitted = check_admitted(view.session.identity, policy);
    return admitted ? Checked(Nothing{}) : invalid_token(admitted.error().reason);
}

Checked check_access(
    const SessionView* view, const std::string& resource, const Policy& policy, Instant now) {
    if (view == nullptr) return invalid_token("unknown token");
    const auto& session = view->session;
    if (auto usable = check_session(*view, policy, now); !usable) return usable;
    if (session.token_ends() <= now) return invalid_token("expired");
    if (session.resource != resource) return invalid_token("for another resource");
    return Nothing{};
}

Checked check_scope(const Session& session, const ScopeSet& needed, const Policy& policy) {
    if (session.scope.covers(needed) || policy.with_implied(session.scope).covers(needed))
        return Nothing{};
    return make_error(
        ErrorCode::insufficient_scope, PublicMessage{"this needs more scopes than the token has"},
        LogDetail{}, "scope");
}

Error missing_scope(
    const Session& session, const ScopeSet& needed, const ScopeSet& obtainable,
    const Policy& policy) {
    const auto has = policy.with_implied(session.scope);
    const auto missing = needed.without(has);
    if (!policy.with_implied(obtainable).covers(needed))
        return make_error(
            ErrorCode::forbidden,
            PublicMessage{
                "this app may not have what this server needs: " + in_words(missing, policy) +
                ". Only the operator of " + authority_of(policy.issuer) + " can change that"},
            LogDetail{"its client can never have the scope"}, "scope");
    return make_error(
        ErrorCode::insufficient_scope,
        PublicMessage{
            "this server needs more than you allowed: " + in_words(missing, policy) +
            ". Sign in again, and allow it"},
        LogDetail{}, "scope", NeededScope{needed.with(session.scope.within(obtainable)).text()});
}

bool may_be_reused(const Flow& flow, const Policy& policy) {
    if (flow.resource.empty()) return false; // nobody knows yet what would be given again
    switch (policy.remember_consent) {
    case RememberConsent::never: return false;
    case RememberConsent::https:
        return describe_redirect(flow.redirect_uri).kind == RedirectKind::https;
    case RememberConsent::always: return true;
    }
    return false;
}

bool may_offer_reuse(
    const Flow& flow, Arrival arrival, const std::optional<std::string>& prompt,
    const Policy& policy) {
    return arrival == Arrival::opened && prompt != "consent" && may_be_reused(flow, policy);
}

bool may_reuse_consent(
    const SessionView& earlier, const Flow& flow, const Policy& policy, Instant now) {
    const auto& session = earlier.session;
    if (!may_be_reused(flow, policy) || !check_session(earlier, policy, now)) return false;
    if (session.client_id != flow.client_id || !(session.browser == flow.browser) ||
        session.resource != flow.resource)
        return false;
    if (!session.scope.covers(flow.scope) ||
        !redirect_matches(session.redirect_uri, flow.redirect_uri))
        return false;
    // The web server names the person at the start of a flow, so both must be the same one.
    if (session.identity.is_verified() || flow.identity.is_verified())
        return session.identity == flow.identity;
    // Linked accounts stay with a lasting identity. Those of a typed name ended with its session,
    // and must be linked again.
    return session.identity.is_lasting();
}

} // namespace consentgate::core
