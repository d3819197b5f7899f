#include "consentgate/core/refresh.h"

#include "consentgate/core/uri.h"

#include <algorithm>

namespace consentgate::core {
namespace {

// The client is told the same in every case; what a stranger's guess met is for the log.
Error invalid_grant(const std::string& why) { return refuse(Fault::invalid_grant, Say{"the refresh token is not valid"}, Why{why}); }

// Idle time after its last use, but not beyond what a session may last in all.
Instant refresh_end(const Session& session, const Policy& policy, Instant now) {
    return std::min(now + policy.refresh_idle, session.created_at + policy.refresh_lifetime);
}

} // namespace

Result<RefreshRequest> parse_refresh(const Form& form, const ClientId& client) {
    const auto token = form.get("refresh_token");
    if (!token) return refuse(Fault::invalid_request, Say{"refresh_token is missing"}, Why{}, "refresh_token");
    if (form.count("resource") > 1) return refuse(Fault::invalid_target, Say{"only one resource can be named"}, Why{}, "resource");
    RefreshRequest request{client, Secret(*token), std::nullopt, form.get("resource")};
    if (const auto scope = form.get("scope")) {
        request.scope = ScopeSet::parse(*scope);
        if (!request.scope) return refuse(Fault::invalid_scope, Say{"scope has a character that scopes do not have"}, Why{}, "scope");
    }
    return request;
}

Result<Refreshing> judge_refresh(const RefreshRequest& request, const std::optional<RefreshView>& found, const Policy& policy, Instant now) {
    if (!found) return invalid_grant("unknown");
    const auto& token = found->token;
    const auto& session = found->session.session;
    if (session.client_id != request.client_id) return invalid_grant("another client's");
    if (const auto why = why_over(found->session, now); !why.empty()) return invalid_grant(why);
    if (token.expires_at <= now) return invalid_grant("expired");
    if (request.resource && !same_resource(*request.resource, session.resource)) {
        return refuse(Fault::invalid_target, Say{"this was not granted for that resource"}, Why{}, "resource");
    }
    if (request.scope && (request.scope->empty() || request.scope->within(session.scope) != *request.scope)) {
        return refuse(Fault::invalid_scope, Say{"scope can be narrowed here, not widened"}, Why{}, "scope");
    }
    if (!token.used_at) return Refreshing::rotate;
    return now - *token.used_at < policy.refresh_grace ? Refreshing::repeat : Refreshing::reuse;
}

std::optional<FreshRefresh> first_refresh(const IssuedCode& code, const Secret& secret, const Session& session, bool registered, const Keyring& keyring,
                                          const Policy& policy, Instant now) {
    if (!registered || !policy.refreshes()) return std::nullopt;
    auto token = keyring.refresh_token(code.key_id, secret);
    if (!token) return std::nullopt;
    RefreshToken stored{sha256(*token), session.id, keyring.newest(), refresh_end(session, policy, now), std::nullopt};
    return FreshRefresh{std::move(*token), std::move(stored)};
}

std::optional<Rotated> rotate(const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope, const Keyring& keyring, const Policy& policy, Instant now) {
    auto session = found.session.session;
    if (scope) session.scope = *scope; // of this access token only: the session keeps what was granted
    auto next = keyring.refresh_token(found.token.key_id, token);
    auto access = keyring.access_token(found.token.key_id, token, session.scope.text());
    if (!next || !access) return std::nullopt;
    const auto end = refresh_end(session, policy, now);
    session.token_expires_at = std::min(now + policy.session_lifetime, end);
    Rotation rotation{found.token.hash, found.token.key_id, {sha256(*next), session.id, keyring.newest(), end, std::nullopt}, {sha256(*access), session.id, session.scope, *session.token_expires_at}};
    return Rotated{{std::move(*access), std::move(*next), std::move(session)}, std::move(rotation)};
}

} // namespace consentgate::core
