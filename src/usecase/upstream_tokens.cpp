#include "consentgate/usecase/upstream_tokens.h"

#include "service_call.h"

#include "consentgate/core/metadata.h"
#include "consentgate/core/text.h"
#include "consentgate/core/uri.h"
#include "consentgate/core/vault.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/log.h"

#include <chrono>
#include <utility>

namespace consentgate::usecase {
namespace {

using core::Fault;
using core::Freshness;
using store::Outcome;

constexpr std::chrono::milliseconds look_every{100};
constexpr int most_tries_to_keep = 5;
constexpr core::Span touch_every{300}; // last_used_at is kept to that, so that most exchanges write nothing

core::Error not_connected(World& world, const core::Session& session, const core::Service& service, const char* why, core::Instant now) {
    auto error = core::refuse(Fault::interaction_required, core::Say{"the person has to connect this service first, at connect_uri"}, core::Why{why});
    const auto link = core::make_link(session.id, service.id, world.random.id(16), world.keyring, now);
    error.onward = core::Secret(core::append_query(world.policy.origin() + core::path::upstream_authorize, {{"mcp_client_id", service.id.text}, {"link", link.reveal()}}));
    return error;
}

core::Error unavailable(const std::string& why, core::Span pause) {
    auto error = core::refuse(Fault::service_unavailable, core::Say{"the service cannot be reached; try again"}, core::Why{why});
    error.retry_after_seconds = static_cast<int>(std::max<std::int64_t>(1, pause.count()));
    return error;
}

core::Result<FreshToken> open(World& world, const core::UpstreamToken& token) {
    auto access = core::unseal(world.keyring, token.key_id, token.access_token, token.access_place());
    if (!access) return does_not_open("an upstream token");
    return FreshToken{std::move(*access), token.expires_at, token.scope};
}

core::UpstreamToken renewed(World& world, const core::UpstreamToken& old, const core::TokenSet& tokens, const core::Secret& refresh_token, core::Instant now) {
    auto token = old;
    token.access_token = seal(world, token.access_place(), tokens.access_token);
    token.refresh_token = seal(world, token.refresh_place(), tokens.refresh_token.value_or(refresh_token));
    token.key_id = world.keyring.newest();
    if (!tokens.scope.empty()) token.scope = tokens.scope;
    token.expires_at = tokens.expires_in ? std::optional(now + *tokens.expires_in) : std::nullopt;
    return token;
}

// The service has replaced the refresh token by now: what it gave must not be lost to a database that is away for a moment.
Outcome keep_patiently(World& world, const core::UpstreamToken& token, const std::string& lease, core::Instant now) {
    for (int tried = 1;; ++tried) {
        try {
            return world.store.keep_refreshed(token, lease, now);
        } catch (const store::StoreFailure&) {
            if (tried == most_tries_to_keep) throw;
            sys::pause(std::chrono::milliseconds(200 * tried));
        }
    }
}

// With the lease in hand: asks the service, and writes what it said.
// out:  absent when the token was replaced meanwhile and must be looked at again
std::optional<core::Result<FreshToken>> refresh(World& world, const core::UpstreamToken& token, const core::Session& session, const core::Service& service,
                                                const std::string& lease, core::Instant now) {
    const auto refresh_token = core::unseal(world.keyring, token.key_id, token.refresh_token, token.refresh_place());
    if (!refresh_token) return does_not_open("an upstream refresh token");
    const auto secret = client_secret_of(world, service);
    if (!secret) return secret.error();
    const auto reply = core::read_token_reply(call_service(world, core::refresh_request(service, *secret, *refresh_token)));
    if (reply.tokens) {
        const auto next = renewed(world, token, *reply.tokens, *refresh_token, now);
        if (keep_patiently(world, next, lease, now) == Outcome::gone) return std::nullopt;
        world.count(sys::Metric::upstream_refreshes, {{"service", service.id.text}, {"outcome", "refreshed"}});
        sys::log_event("refreshed", {{"service", service.id.text}, {"connection", token.id}});
        return FreshToken{reply.tokens->access_token, next.expires_at, next.scope};
    }
    // Refresh tokens die with the registration they were given to; the person connects anew, with a new one.
    if (reply.trouble == core::Trouble::registration_lost) register_anew(world, service);
    const auto trouble = reply.trouble == core::Trouble::registration_lost ? core::Trouble::refused : reply.trouble;
    const auto failed = core::after_failure(token, trouble, now);
    world.count(sys::Metric::upstream_refreshes, {{"service", service.id.text}, {"outcome", failed.broken_at ? "broken" : "failed"}});
    sys::log_event("refresh_failed", {{"service", service.id.text}, {"connection", token.id}, {"why", reply.why}, {"broken", failed.broken_at ? "yes" : "no"}});
    if (world.store.note_refresh_failure(failed, lease, now) == Outcome::gone) return std::nullopt;
    if (failed.broken_at) return not_connected(world, session, service, "the service refused to refresh", now);
    if (core::freshness_of(token, now) == Freshness::due) return open(world, token);
    return unavailable(reply.why, *failed.retry_at - now);
}

void touch(World& world, const core::UpstreamToken& token, core::Instant now) {
    if (!token.last_used_at || *token.last_used_at + touch_every <= now) world.store.touch_upstream_token(token.id, now);
}

// out:  the service that is asked for, and what the owner has there as far as it was read with it
core::Result<store::Account> find_target(World& world, const core::TokenExchange& exchange, const core::ResourceServer& server, const std::string& owner) {
    if (!exchange.audience) {
        auto target = core::judge_target(exchange, server, world.store.list_services());
        if (!target) return target.error();
        return store::Account{std::move(*target), std::nullopt};
    }
    auto account = world.store.find_account(owner, core::ServiceId(*exchange.audience));
    const auto target = core::judge_target(exchange, server, account.service ? std::vector{*account.service} : std::vector<core::Service>{});
    if (!target) return target.error();
    return account;
}

} // namespace

core::Result<FreshToken> fresh_upstream_token(World& world, const core::Session& session, const core::Service& service, core::Instant now,
                                              std::optional<core::UpstreamToken> found) {
    const auto owner = core::token_owner(session.identity, session.id);
    // For longer than a lease, so that a worker that died over its refresh is replaced by one of those who wait.
    const auto most_looks = (world.policy.upstream_lease + core::Span(1)) / look_every;
    for (int look = 0; look < most_looks; ++look) {
        const auto at = now + std::chrono::duration_cast<core::Span>(look * look_every);
        const auto token = found ? std::exchange(found, std::nullopt) : world.store.find_upstream_token(owner, service.id);
        if (!token) return not_connected(world, session, service, "not connected", at);
        const auto freshness = core::freshness_of(*token, at);
        if (freshness == Freshness::broken) return not_connected(world, session, service, "it must be connected anew", at);
        const bool paused = token->retry_at && *token->retry_at > at;
        if (freshness == Freshness::fresh || (freshness == Freshness::due && paused)) {
            touch(world, *token, at);
            return open(world, *token);
        }
        if (paused) return unavailable("the last refresh failed", *token->retry_at - at);
        const auto lease = world.random.id(16);
        if (world.store.claim_refresh(token->id, token->version, lease, at + world.policy.upstream_lease, at) == Outcome::done) {
            if (auto result = refresh(world, *token, session, service, lease, at)) return std::move(*result);
            continue;
        }
        sys::pause(look_every); // somebody else is at it
    }
    return unavailable("another worker's refresh did not end", core::Span(1));
}

core::Result<std::string> exchange_token(World& world, const Sender& sender, core::Instant now) {
    if (auto once = sender.form.refuse_repeated("resource"); !once) return once.error();
    const auto credentials = core::read_client_credentials(sender.form, sender.authorization);
    if (!credentials) return credentials.error();
    const auto exchange = core::parse_token_exchange(sender.form);
    const auto [server, view] = world.store.find_enquiry(core::ResourceServerId(credentials->id), exchange ? core::sha256(exchange->subject_token) : core::Digest{});
    if (auto judged = core::judge_resource_server(*credentials, server); !judged) return judged.error();
    if (!exchange) return exchange.error();
    if (auto judged = core::judge_access(view, server->resource, now); !judged) {
        return core::refuse(Fault::invalid_request, core::Say{"the subject_token is not valid here"}, core::Why{judged.error().why}, "subject_token");
    }
    auto target = find_target(world, *exchange, *server, core::token_owner(view->session.identity, view->session.id));
    if (!target) return target.error();
    const auto service = core::judge_service(target->service, view->session.identity, view->virtual_key, now);
    if (!service) return core::refuse(Fault::invalid_target, core::Say{"this person may not use that service"}, core::Why{service.error().why}, "audience");
    const auto fresh = fresh_upstream_token(world, view->session, *service, now, std::move(target->token));
    if (!fresh) return fresh.error();
    return core::exchanged_document(fresh->access_token, fresh->expires_at, fresh->scope, now);
}

} // namespace consentgate::usecase
