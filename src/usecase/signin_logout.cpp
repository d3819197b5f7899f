#include "consentgate/usecase/signin_logout.h"

#include "not_found.h"
#include "service_call.h"

#include "consentgate/core/signin/logout_token.h"
#include "consentgate/usecase/provider_keys.h"
#include "consentgate/usecase/sessions.h"

namespace consentgate::usecase {
namespace {

// Only a token under an unknown key waits for a place among the calls to providers.
core::Result<core::ProviderKeys> keys_for(
    Dependencies& deps, const core::IdentityProvider& idp, const std::string& token,
    core::Instant now) {
    if (auto kept = kept_keys_for(idp, token, now)) return std::move(*kept);
    const auto place = deps.enter(sys::PlaceKind::signin, idp.jwks_uri);
    if (!place) return no_place();
    return provider_keys_for(deps, idp, token, now);
}

store::Logout order_of(
    Dependencies& deps, const core::IdentityProvider& idp, const core::LogoutToken& token) {
    store::Logout logout{
        .use = token.use,
        .id = deps.random.id(16),
        .idp = idp.id,
        .effect = idp.logout,
        .issued_at = token.issued_at,
        .forget_after = token.forget_after};
    if (!token.sid.empty()) logout.sid = core::hash_of_sid(idp.id, token.sid);
    if (!token.subject.empty()) logout.person = core::person_id(token.issuer, token.subject);
    return logout;
}

} // namespace

// A provider that is switched off is believed too: a logout opens nothing.
core::Result<ReceivedLogout> receive_logout(
    Dependencies& deps, const core::IdpId& at, const std::string& token, core::Instant now) {
    const auto idp = deps.store.idps.find(at);
    if (!idp) return not_found("there is nothing at this address");
    const auto keys = keys_for(deps, *idp, token, now);
    if (!keys) return keys.error();
    const auto believed = core::validate_logout_token(token, *idp, *keys, now);
    if (!believed) return believed.error();
    const auto logout = order_of(deps, *idp, *believed);
    const auto ended = deps.store.logouts.apply(logout, now);
    ReceivedLogout received{.used_before = !ended.has_value(), .person = logout.person};
    if (!ended) return received;
    for (const auto& session : ended->sessions) audit_session_end(deps, session, "provider");
    received.signins = ended->signins.size();
    received.sessions = ended->sessions.size();
    return received;
}

} // namespace consentgate::usecase
