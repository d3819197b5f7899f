#include "consentgate/core/oauth/refresh.h"

#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::core {
namespace {

// The client gets one message in every case; the log holds the reason.
Error invalid_grant(const std::string& reason) {
    return make_error(
        ErrorCode::invalid_grant, PublicMessage{"the refresh token is not valid"},
        LogDetail{reason});
}

// Idle time after its last use, but not beyond what a session may last in all.
Instant refresh_end(const Session& session, const Policy& policy, Instant now) {
    return std::min(now + policy.refresh_idle, session.created_at + policy.refresh_lifetime);
}

// in: used    when the token was used first
//     issued  when the access token begins: then, or later
std::optional<Rotated> rotation_at(
    const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope,
    const Keyring& keyring, const Policy& policy, Instant used, Instant issued) {
    auto session = found.session.session;
    // The scope of this access token; the session keeps what was granted. A request that names
    // nothing of it gets all of it.
    const auto asked = scope.value_or(ScopeSet{}).within(session.scope);
    if (!asked.empty()) session.scope = asked;
    // No scope has a line break, so a later token equals no other.
    const auto later = issued == used ? std::string() : "\n" + std::to_string(epoch(issued));
    auto next = keyring.refresh_token(found.token.key_id, token);
    auto access = keyring.access_token(found.token.key_id, token, session.scope.text() + later);
    if (!next || !access) return std::nullopt;
    const auto end = refresh_end(session, policy, used);
    session.token_expires_at = std::min(issued + policy.session_lifetime, end);
    Rotation rotation{
        found.token.hash,
        found.token.key_id,
        {sha256(*next), session.id, keyring.newest(), end, std::nullopt},
        {sha256(*access), session.id, session.scope, *session.token_expires_at}};
    return Rotated{{std::move(*access), std::move(*next), std::move(session)}, std::move(rotation)};
}

} // namespace

Result<RefreshRequest> parse_refresh(const TokenRequest& sent, const ClientId& client) {
    const auto token = sent.refresh_token.value;
    if (!token)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"refresh_token is missing"}, LogDetail{},
            "refresh_token");
    if (sent.resource.repeated())
        return make_error(
            ErrorCode::invalid_target, PublicMessage{"only one resource can be named"}, LogDetail{},
            "resource");
    RefreshRequest request{client, Secret(*token), std::nullopt, sent.resource.value};
    if (const auto scope = sent.scope.value) {
        request.scope = ScopeSet::parse(*scope);
        if (!request.scope)
            return make_error(
                ErrorCode::invalid_scope,
                PublicMessage{"scope has a character that scopes do not have"}, LogDetail{},
                "scope");
    }
    return request;
}

Result<RefreshUse> validate_refresh(
    const RefreshRequest& request, const std::optional<RefreshView>& found, const Policy& policy,
    Instant now) {
    if (!found) return invalid_grant("unknown");
    const auto& token = found->token;
    const auto& session = found->session.session;
    if (session.client_id != request.client_id) return invalid_grant("another client's");
    if (const auto lasts = check_session(found->session, policy, now); !lasts)
        return invalid_grant(lasts.error().reason);
    if (token.expires_at <= now) return invalid_grant("expired");
    if (refresh_end(session, policy, now) <= now) // the operator has shortened it since
        return invalid_grant("its session is older than sessions may be");
    if (request.resource && !names_session_resource(*request.resource, session.resource)) {
        return make_error(
            ErrorCode::invalid_target, PublicMessage{"this was not granted for that resource"},
            LogDetail{}, "resource");
    }
    if (request.scope && !session.scope.covers(request.scope->within(policy.catalogue()))) {
        return make_error(
            ErrorCode::invalid_scope, PublicMessage{"scope can be narrowed here, not widened"},
            LogDetail{}, "scope");
    }
    if (!token.used_at) return RefreshUse::rotate;
    const auto since = now - *token.used_at;
    if (since >= policy.refresh_grace) return RefreshUse::reuse;
    return since < same_moment ? RefreshUse::repeat : RefreshUse::late_repeat;
}

bool may_repeat_late(const RefreshToken& used, const std::optional<RefreshView>& successor) {
    return successor && !successor->token.used_at && used.late_repeats < max_late_repeats;
}

std::optional<NewRefreshToken> first_refresh_token(
    const IssuedCode& code, const Secret& secret, const Session& session, bool registered,
    const Keyring& keyring, const Policy& policy, Instant now) {
    if (!registered || !policy.refreshes()) return std::nullopt;
    auto token = keyring.refresh_token(code.key_id, secret);
    if (!token) return std::nullopt;
    RefreshToken stored{
        sha256(*token), session.id, keyring.newest(), refresh_end(session, policy, now),
        std::nullopt};
    return NewRefreshToken{std::move(*token), std::move(stored)};
}

std::optional<Rotated> rotate(
    const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope,
    const Keyring& keyring, const Policy& policy, Instant now) {
    return rotation_at(token, found, scope, keyring, policy, now, now);
}

std::optional<Rotated> repeat_rotation(
    const Secret& token, const RefreshView& found, const std::optional<ScopeSet>& scope,
    const Keyring& keyring, const Policy& policy, Instant now) {
    const auto used = found.token.used_at.value_or(now);
    auto repeated = rotation_at(token, found, scope, keyring, policy, used, used);
    if (!repeated || repeated->rotation.access.expires_at > now) return repeated;
    return rotation_at(token, found, scope, keyring, policy, used, now);
}

} // namespace consentgate::core
