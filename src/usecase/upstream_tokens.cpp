#include "consentgate/usecase/upstream_tokens.h"

#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/text.h"

#include <chrono>
#include <utility>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using core::Freshness;
using store::Applied;

constexpr std::chrono::milliseconds look_every{100};
constexpr int max_save_attempts = 5;
constexpr core::Span record_use_every{
    300}; // last_used_at is kept to that, so that most exchanges write nothing

core::Error not_connected(
    Dependencies& deps, const core::Session& session, const core::Service& service,
    const char* reason, core::Instant now) {
    auto error = core::make_error(
        ErrorCode::interaction_required,
        core::PublicMessage{"the person has to connect this service first, at connect_uri"},
        core::LogDetail{reason});
    error.details = core::ConnectLink{
        service.id, core::make_link(session.id, service.id, deps.random.id(16), deps.keyring, now)};
    return error;
}

core::Error unavailable(const std::string& reason, core::Span pause) {
    auto error = core::make_error(
        ErrorCode::service_unavailable,
        core::PublicMessage{"the service cannot be reached; try again"}, core::LogDetail{reason});
    error.details = core::RetryAfter{static_cast<int>(std::max<std::int64_t>(1, pause.count()))};
    return error;
}

core::Result<FreshToken> open(Dependencies& deps, const core::LinkedAccount& token) {
    auto access =
        core::unseal(deps.keyring, token.key_id, token.access_token, token.access_token_aad());
    if (!access) return does_not_open("an upstream token");
    return FreshToken{std::move(*access), token.expires_at, token.scope};
}

core::LinkedAccount renewed(
    Dependencies& deps, const core::LinkedAccount& old, const core::TokenSet& tokens,
    const core::Secret& refresh_token, core::Instant now) {
    auto token = old;
    token.access_token = seal(deps, token.access_token_aad(), tokens.access_token);
    token.refresh_token =
        seal(deps, token.refresh_token_aad(), tokens.refresh_token.value_or(refresh_token));
    token.key_id = deps.keyring.newest();
    if (!tokens.scope.empty()) token.scope = tokens.scope;
    token.expires_at = tokens.expires_in ? std::optional(now + *tokens.expires_in) : std::nullopt;
    return token;
}

// The service has replaced the refresh token by now, so the answer must survive a database that is
// away for a moment.
Applied save_patiently(
    Dependencies& deps, const core::LinkedAccount& token, const std::string& lease,
    core::Instant now) {
    for (int tried = 1;; ++tried) {
        try {
            return deps.store.accounts.save_refreshed(token, lease, now);
        } catch (const store::StoreFailure&) {
            if (tried == max_save_attempts) throw;
            deps.clock.pause(std::chrono::milliseconds(200 * tried));
        }
    }
}

// Refreshes at the service and saves the result; the caller holds the lease.
// out:  absent when the token was replaced meanwhile and must be looked at again
std::optional<core::Result<FreshToken>> refresh(
    Dependencies& deps, const core::LinkedAccount& token, const core::Session& session,
    const core::Service& service, const std::string& lease, core::Instant now) {
    const auto refresh_token =
        core::unseal(deps.keyring, token.key_id, token.refresh_token, token.refresh_token_aad());
    if (!refresh_token) return does_not_open("an upstream refresh token");
    const auto secret = client_secret_of(deps, service);
    if (!secret) return secret.error();
    const auto reply = core::read_token_reply(call_service(
        deps, service, sys::PlaceKind::refresh,
        core::refresh_request(service, *secret, *refresh_token)));
    if (reply.tokens) {
        const auto next = renewed(deps, token, *reply.tokens, *refresh_token, now);
        if (save_patiently(deps, next, lease, now) == Applied::no) return std::nullopt;
        deps.count(
            sys::Metric::upstream_refreshes,
            {{"service", service.id.text}, {"outcome", "refreshed"}});
        deps.log.event("upstream_refreshed", {{"service", service.id.text}, {"account", token.id}});
        return FreshToken{reply.tokens->access_token, next.expires_at, next.scope};
    }
    // Refresh tokens end with our registration; the person connects anew, with a new registration.
    if (reply.error == core::UpstreamError::registration_lost) register_anew(deps, service);
    const auto error = reply.error == core::UpstreamError::registration_lost
                           ? core::UpstreamError::refused
                           : reply.error;
    const auto failed = core::after_failure(token, error, now);
    deps.count(
        sys::Metric::upstream_refreshes,
        {{"service", service.id.text}, {"outcome", failed.broken_at ? "broken" : "failed"}});
    deps.log.event(
        "upstream_refresh_failed", {{"service", service.id.text},
                                    {"account", token.id},
                                    {"reason", reply.reason},
                                    {"broken", failed.broken_at ? "yes" : "no"}});
    if (deps.store.accounts.note_refresh_failure(failed, lease, now) == Applied::no)
        return std::nullopt;
    if (failed.broken_at)
        return not_connected(deps, session, service, "the service refused to refresh", now);
    if (core::freshness_of(token, now) == Freshness::due) return open(deps, token);
    return unavailable(reply.reason, *failed.retry_at - now);
}

void record_use(Dependencies& deps, const core::LinkedAccount& token, core::Instant now) {
    if (!token.last_used_at || *token.last_used_at + record_use_every <= now)
        deps.store.accounts.record_use(token.id, now);
}

// out:  the service that is asked for, with the owner's account where one query read both
core::Result<core::ServiceAccount> find_target(
    Dependencies& deps, const core::TokenExchange& exchange, const core::ResourceServer& server,
    const core::Owner& owner) {
    if (!exchange.audience) {
        auto target = core::authorize_target(exchange, server, deps.store.services.list());
        if (!target) return target.error();
        return core::ServiceAccount{std::move(*target), std::nullopt};
    }
    auto account =
        deps.store.accounts.find_with_service(owner, core::ServiceId(*exchange.audience));
    const auto target = core::authorize_target(
        exchange, server,
        account.service ? std::vector{*account.service} : std::vector<core::Service>{});
    if (!target) return target.error();
    return account;
}

} // namespace

core::Result<FreshToken> fresh_upstream_token(
    Dependencies& deps, const core::Session& session, const core::Service& service,
    core::Instant now, std::optional<core::LinkedAccount> found) {
    const auto owner = session.identity.owner(session.id);
    // Longer than a lease, so that a waiting worker takes over from one that died.
    const auto max_looks = (deps.policy.upstream_lease + core::Span(1)) / look_every;
    for (int look = 0; look < max_looks; ++look) {
        const auto at = now + std::chrono::duration_cast<core::Span>(look * look_every);
        const auto token = found ? std::exchange(found, std::nullopt)
                                 : deps.store.accounts.find(owner, service.id);
        if (!token) return not_connected(deps, session, service, "not connected", at);
        const auto freshness = core::freshness_of(*token, at);
        if (freshness == Freshness::broken)
            return not_connected(deps, session, service, "it must be connected anew", at);
        const bool paused = token->retry_at && *token->retry_at > at;
        if (freshness == Freshness::fresh || (freshness == Freshness::due && paused)) {
            record_use(deps, *token, at);
            return open(deps, *token);
        }
        if (paused) return unavailable("the last refresh failed", *token->retry_at - at);
        const auto lease = deps.random.id(16);
        if (deps.store.accounts.claim_refresh(
                token->id, token->version, lease, at + deps.policy.upstream_lease, at) ==
            Applied::yes) {
            if (auto result = refresh(deps, *token, session, service, lease, at))
                return std::move(*result);
            continue;
        }
        deps.clock.pause(look_every); // another worker is refreshing it
    }
    return unavailable("another worker's refresh did not end", core::Span(1));
}

core::Result<std::string> exchange_token(
    Dependencies& deps, const core::SentCredentials& sent, const core::ExchangeRequest& request,
    core::Instant now) {
    if (!request.not_repeated) return request.not_repeated.error();
    const auto credentials = core::read_client_credentials(sent);
    if (!credentials) return credentials.error();
    const auto exchange = core::parse_token_exchange(request);
    const auto [server, view] = deps.store.resource_servers.find_with_session(
        core::ResourceServerId(credentials->id),
        exchange ? core::sha256(exchange->subject_token) : core::Digest{});
    if (auto valid = core::check_resource_server(*credentials, server); !valid)
        return valid.error();
    if (!exchange) return exchange.error();
    if (auto valid = core::check_access(view, server->resource, deps.policy, now); !valid) {
        return core::make_error(
            ErrorCode::invalid_request, core::PublicMessage{"the subject_token is not valid here"},
            core::LogDetail{valid.error().reason}, "subject_token");
    }
    auto target =
        find_target(deps, *exchange, *server, view->session.identity.owner(view->session.id));
    if (!target) return target.error();
    const auto service =
        core::authorize_service(target->service, view->session.identity, view->virtual_key, now);
    if (!service)
        return core::make_error(
            ErrorCode::invalid_target, core::PublicMessage{"this person may not use that service"},
            core::LogDetail{service.error().reason}, "audience");
    const auto fresh =
        fresh_upstream_token(deps, view->session, *service, now, std::move(target->token));
    if (!fresh) return fresh.error();
    return core::token_exchange_response(fresh->access_token, fresh->expires_at, fresh->scope, now);
}

} // namespace consentgate::usecase
