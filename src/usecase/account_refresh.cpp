#include "account_refresh.h"

#include "account_doubts.h"
#include "account_seal.h"
#include "client_refusal.h"
#include "service_call.h"
#include "token_call.h"

namespace consentgate::usecase {
namespace {

using core::UpstreamError;
using store::Applied;
using End = AccountRefresh::End;

constexpr int max_save_attempts = 5;

AccountRefresh not_begun(core::LinkedAccount account, core::Error error) {
    AccountRefresh refresh;
    refresh.end = End::not_begun;
    refresh.account = std::move(account);
    refresh.error = std::move(error);
    return refresh;
}

core::LinkedAccount renewed(
    Dependencies& deps, const core::LinkedAccount& old, const core::TokenSet& tokens,
    const core::Secret& refresh_token, core::Instant asked) {
    auto account = core::after_refresh(old, core::expiry_of(tokens, asked), tokens.scope, asked);
    seal_tokens(deps, account, {tokens.access_token, tokens.refresh_token.value_or(refresh_token)});
    if (tokens.holder && tokens.holder->id_hash == account.holder_hash)
        account.holder_name = tokens.holder->name; // people change their address
    return account;
}

// The service has replaced the refresh token by now, so the answer must survive a database that is
// away for a moment.
Applied write_patiently(Dependencies& deps, const std::function<Applied()>& write) {
    for (int tried = 1;; ++tried) {
        try {
            return write();
        } catch (const store::StoreFailure&) {
            if (tried == max_save_attempts) throw;
            deps.clock.pause(std::chrono::milliseconds(200 * tried));
        }
    }
}

AccountRefresh save(
    Dependencies& deps, core::LinkedAccount next, core::Secret access_token,
    const std::string& lease, core::Instant asked, std::string_view by) {
    const auto write = [&] { return deps.store.accounts.save_refreshed(next, lease, asked); };
    if (write_patiently(deps, write) == Applied::no) return {};
    deps.count(
        sys::Metric::upstream_refreshes,
        {{"service", next.service.text}, {"outcome", "refreshed"}});
    deps.log.event(
        "upstream_refreshed", {{"service", next.service.text}, {"account", next.id}, {"by", by}});
    AccountRefresh refresh;
    refresh.end = End::refreshed;
    refresh.account = std::move(next);
    refresh.access_token = std::move(access_token);
    return refresh;
}

// in: rotated  a refresh token that takes the place of the one in the account
AccountRefresh note_failure(
    Dependencies& deps, const core::LinkedAccount& account, const core::RefreshFailure& failure,
    const std::optional<core::Secret>& rotated, const std::string& lease, core::Instant now,
    std::string_view by) {
    AccountRefresh refresh;
    refresh.account = core::after_failure(account, failure, now);
    const bool broken = refresh.account.broken_at.has_value();
    deps.count(
        sys::Metric::upstream_refreshes,
        {{"service", account.service.text}, {"outcome", broken ? "broken" : "failed"}});
    deps.log.event(
        "upstream_refresh_failed", {{"service", account.service.text},
                                    {"account", account.id},
                                    {"cause", core::name_of(failure.cause)},
                                    {"reason", failure.reason},
                                    {"broken", broken ? "yes" : "no"},
                                    {"by", by}});
    const auto access = rotated ? open_access_token(deps, account, now) : std::nullopt;
    if (access) seal_tokens(deps, refresh.account, {*access, *rotated});
    const auto written =
        access ? write_patiently(
                     deps, [&] { return deps.store.accounts.save_rotated(refresh.account, lease); })
               : deps.store.accounts.note_refresh_failure(refresh.account, lease);
    if (written == Applied::yes) {
        refresh.end = End::failed;
        if (broken) report_refused(deps, refresh.account);
    }
    return refresh;
}

} // namespace

AccountRefresh refresh_account(
    Dependencies& deps, const core::LinkedAccount& account, const core::Service& service,
    const RunningTime& running, std::string_view by) {
    const auto refresh_token = open_refresh_token(deps, account, running.now());
    if (!refresh_token) return not_begun(account, does_not_open("an upstream refresh token"));
    const auto registered = find_registered(deps, service, account.registration);
    if (!registered) return not_begun(account, registered.error());
    const auto secret = client_secret_of(deps, *registered);
    if (!secret) return not_begun(account, secret.error());
    ServiceTurn turn(deps, service, account.id);
    if (turn.rest()) return not_begun(account, turn.resting());
    const auto place = deps.enter(sys::PlaceKind::refresh, service.token_endpoint);
    if (!place) return not_begun(account, no_place());
    const auto lease = deps.random.id(16);
    const auto asked = running.now();
    const int requests = registered->names_resource() ? 2 : 1; // ask_for_tokens
    const auto until = asked + requests * deps.policy.upstream_lease;
    if (deps.store.accounts.claim_refresh(account.id, account.version, lease, until, asked) ==
        Applied::no)
        return {};
    auto answer =
        ask_for_tokens(turn, *registered, sys::PlaceKind::refresh, [&](const core::Service& with) {
            return core::refresh_request(with, *secret, *refresh_token);
        });
    auto& reply = answer.reply;
    if (reply.tokens) {
        auto next = renewed(deps, account, *reply.tokens, *refresh_token, asked);
        auto saved =
            save(deps, std::move(next), std::move(reply.tokens->access_token), lease, asked, by);
        note_good_answer(deps, service, *registered, answer);
        return saved;
    }
    if (reply.error == UpstreamError::client_refused)
        reply.error = follow_client_refusal(deps, turn, *registered, running.now());
    return note_failure(
        deps, account,
        {.error = reply.error,
         .reason = std::move(reply.reason),
         .retry_after = reply.retry_after,
         .cause = reply.cause},
        reply.rotated, lease, running.now(), by);
}

} // namespace consentgate::usecase
