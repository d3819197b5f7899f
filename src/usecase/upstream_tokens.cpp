#include "consentgate/usecase/upstream_tokens.h"

#include "account_doubts.h"
#include "account_refresh.h"
#include "account_seal.h"
#include "service_call.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/rights.h"

#include <chrono>
#include <utility>

namespace consentgate::usecase {
namespace {

using core::AccountStep;
using core::ErrorCode;
using core::Freshness;

constexpr std::chrono::milliseconds look_every{100};
constexpr int max_looks = 10; // a second, for which a waiting worker is lost to others
constexpr core::Span record_use_every{
    300}; // last_used_at is kept to that, so that most exchanges write nothing

core::Error not_connected(
    Dependencies& deps, const core::Session& session, const core::Service& service,
    const char* reason, core::Instant now) {
    return core::make_error(
        ErrorCode::interaction_required,
        core::PublicMessage{"the person has to connect this service first, at connect_uri"},
        core::LogDetail{reason}, {},
        core::ConnectLink{
            service.id,
            core::make_link(session.id, service.id, deps.random.id(16), deps.keyring, now)});
}

core::Result<FreshToken> open(
    Dependencies& deps, const core::LinkedAccount& token, core::Instant now) {
    auto access = open_access_token(deps, token, now);
    if (!access) return does_not_open("an upstream token");
    return FreshToken{std::move(*access), token.expires_at, token.scope, {token.id, token.version}};
}

void record_use(Dependencies& deps, const core::LinkedAccount& token, core::Instant now) {
    if (!token.last_used_at || *token.last_used_at + record_use_every <= now ||
        now + record_use_every <= *token.last_used_at) // a clock was set back
        deps.store.accounts.record_use(token.id, now);
}

core::Error paused(const core::LinkedAccount& account, core::Instant now) {
    return unavailable(
        "the last refresh failed: " + account.failure, account.retry_at.value_or(now) - now);
}

core::Error refused_again(const core::LinkedAccount& account, core::Span left) {
    return core::make_error(
        ErrorCode::forbidden,
        core::PublicMessage{
            "the service behind this server refuses this person's account, although it gave new "
            "tokens; try again in some minutes, or ask who runs this server"},
        core::LogDetail{
            std::to_string(account.doubts) + " tokens of this account were refused within minutes"},
        {}, core::RetryAfter{static_cast<int>(left.count())});
}

// One call that needs a token, until it has it or knows that it gets none.
class TokenCall {
public:
    TokenCall(
        Dependencies& deps, const core::Session& session, const core::Service& service,
        core::Instant now, const std::optional<std::string>& refused)
        : deps_(deps),
          session_(session),
          service_(service),
          running_(deps.clock, now),
          refused_(refused) {}

    core::Result<FreshToken> run(std::optional<core::LinkedAccount> found) {
        const auto owner = session_.identity.owner(session_.id);
        for (int looked = 0;; ++looked) {
            const auto account = found ? std::exchange(found, std::nullopt)
                                       : deps_.store.accounts.find(owner, service_.id);
            if (!account) return connect_anew("not connected");
            if (auto result = look_at(*account)) return std::move(*result);
            if (looked >= max_looks)
                return unavailable("another worker's refresh goes on", core::Span(1));
            // A token that is good is not waited for: the next look finds it replaced or leased.
            if (core::freshness_of(*account, running_.now()) == Freshness::due &&
                !account->doubted_at)
                continue;
            if (!wait(*account)) looked = max_looks - 1;
        }
    }

private:
    core::Error connect_anew(const char* reason) {
        return not_connected(deps_, session_, service_, reason, running_.now());
    }

    // out: absent: look again in a moment
    std::optional<core::Result<FreshToken>> look_at(const core::LinkedAccount& account) {
        const auto now = running_.now();
        if (const auto until = core::braked_until(account, now); until && !account.broken_at)
            return refused_again(account, *until - now);
        switch (core::next_step(account, now)) {
        case AccountStep::connect_anew: return connect_anew("it must be connected anew");
        case AccountStep::hand_out: return hand_out_unless_refused(account);
        case AccountStep::pause: return paused(account, now);
        case AccountStep::wait: return std::nullopt;
        case AccountStep::refresh: break;
        }
        // Whoever waited for a refresh that failed fails with it, and does not ask once more.
        if (failures_before_ && account.failures > *failures_before_) return paused(account, now);
        place_.leave();
        return refresh(account);
    }

    std::optional<core::Result<FreshToken>> refresh(const core::LinkedAccount& account) {
        auto refresh = refresh_account(deps_, account, service_, running_, "call");
        switch (refresh.end) {
        case AccountRefresh::End::refreshed:
            record_use(deps_, refresh.account, running_.now());
            // Saving the tokens raised the version.
            return FreshToken{
                std::move(refresh.access_token),
                refresh.account.expires_at,
                refresh.account.scope,
                {refresh.account.id, refresh.account.version + 1}};
        case AccountRefresh::End::taken: return std::nullopt;
        case AccountRefresh::End::failed:
            if (refresh.account.broken_at) return connect_anew("the service refused to refresh");
            break;
        case AccountRefresh::End::not_begun: break;
        }
        const auto now = running_.now();
        if (may_be_good(account, now)) return hand_out(account);
        if (refresh.end == AccountRefresh::End::failed) return paused(refresh.account, now);
        // Where no place was free, another worker may have refreshed it meanwhile.
        const auto later =
            deps_.store.accounts.find(session_.identity.owner(session_.id), service_.id);
        if (later && core::next_step(*later, now) == AccountStep::hand_out) return hand_out(*later);
        return refresh.error;
    }

    static bool may_be_good(const core::LinkedAccount& account, core::Instant now) {
        const auto freshness = core::freshness_of(account, now);
        return freshness == Freshness::due || freshness == Freshness::fresh;
    }

    // The caller has met a refusal of this very token, so it is doubted and looked at again.
    std::optional<core::Result<FreshToken>> hand_out_unless_refused(
        const core::LinkedAccount& account) {
        auto fresh = hand_out(account);
        if (!refused_ || !fresh || !core::is_hash_of(*refused_, fresh->access_token)) return fresh;
        refused_.reset();
        if (account.doubted_at) return fresh; // its refresh is paused
        doubt_token(
            deps_, account, account.version, core::TokenRefusal::certain, "exchange",
            running_.now());
        const auto later =
            deps_.store.accounts.find(session_.identity.owner(session_.id), service_.id);
        return later ? look_at(*later) : std::nullopt;
    }

    core::Result<FreshToken> hand_out(const core::LinkedAccount& account) {
        record_use(deps_, account, running_.now());
        return open(deps_, account, running_.now());
    }

    // out: false when too many wait already: one more look is all
    bool wait(const core::LinkedAccount& account) {
        if (!failures_before_) failures_before_ = account.failures;
        if (!place_) place_ = deps_.enter(sys::PlaceKind::wait, service_.token_endpoint);
        if (place_) deps_.clock.pause(look_every);
        return static_cast<bool>(place_);
    }

    Dependencies& deps_;
    const core::Session& session_;
    const core::Service& service_;
    RunningTime running_;
    std::optional<std::string> refused_;
    sys::Place place_;                            // while it waits for another worker
    std::optional<std::int64_t> failures_before_; // when the wait for another worker began
};

core::Error refused_target(
    Dependencies& deps, const char* message, const core::Error& refusal, const char* parameter) {
    count_refusal(deps, refusal, "exchange");
    return core::make_error(
        ErrorCode::invalid_target, core::PublicMessage{message}, core::LogDetail{refusal.reason},
        parameter);
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
    core::Instant now, std::optional<core::LinkedAccount> found,
    const std::optional<std::string>& refused) {
    return TokenCall(deps, session, service, now, refused).run(std::move(found));
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
    if (auto valid = core::check_resource_server(*credentials, server.get()); !valid)
        return valid.error();
    if (!exchange) return exchange.error();
    if (auto valid = core::check_access(view.get(), server->resource, deps.policy, now); !valid) {
        return core::make_error(
            ErrorCode::invalid_request, core::PublicMessage{"the subject_token is not valid here"},
            core::LogDetail{valid.error().reason}, "subject_token");
    }
    const auto rights = rights_of(deps, view->session.identity, view->standing);
    if (auto may = rights.check_resource(server->resource); !may)
        return refused_target(deps, "this person may not use that server", may.error(), "resource");
    auto target =
        find_target(deps, *exchange, *server, view->session.identity.owner(view->session.id));
    if (!target) return target.error();
    if (auto may = rights.check_service(target->service->id); !may)
        return refused_target(
            deps, "this person may not use that service", may.error(), "audience");
    const auto service =
        core::authorize_service(target->service, view->session.identity, view->virtual_key, now);
    if (!service)
        return refused_target(
            deps, "this person may not use that service", service.error(), "audience");
    auto fresh = fresh_upstream_token(
        deps, view->session, *service, now, std::move(target->token), exchange->refused);
    // OAuth's words have no other one for a resource server that may come again later.
    if (!fresh && fresh.error().code == ErrorCode::forbidden)
        fresh.error().code = ErrorCode::service_unavailable;
    if (!fresh) return fresh.error();
    deps.note_use(view->session, "", now);
    return core::token_exchange_response(
        fresh->access_token, fresh->expires_at, fresh->scope, now,
        service->takes_keys() ? core::TokenKind::key : core::TokenKind::bearer);
}

} // namespace consentgate::usecase
