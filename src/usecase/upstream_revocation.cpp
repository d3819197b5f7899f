#include "consentgate/usecase/upstream_revocation.h"

#include "account_refresh.h"
#include "account_seal.h"
#include "service_call.h"
#include "service_turn.h"

#include "consentgate/core/upstream/service_failure.h"

#include <set>

namespace consentgate::usecase {
namespace {

using core::Revocation;
using store::Applied;

constexpr std::size_t batch = 20;
constexpr std::chrono::milliseconds look_every{100};
constexpr core::Span max_turn{
    3}; // then no further one is begun, because the worker has requests to answer

struct Answer {
    Revocation outcome = Revocation::refused;
    std::string reason{};                    // when it was not, for the log
    bool again = false;                      // its row stays, for a later try
    std::optional<core::Span> retry_after{}; // as the service said
};

// out: when it is away, with what it said about when it comes back
Answer ask(
    Dependencies& deps, const core::LinkedAccount& token,
    const std::optional<core::Service>& current, ServiceTurn* turn, core::Instant now) {
    if (!current || current->revocation_endpoint.empty())
        return {Revocation::refused, "it offers no revocation"};
    const auto service = find_registered(deps, *current, token.registration);
    if (!service) return {Revocation::refused, "our registration there is gone"};
    const auto secret = client_secret_of(deps, *service);
    if (!secret) return {Revocation::refused, "our secret there does not open"};
    std::optional<core::Span> retry_after;
    std::string reason; // of the last failure, in the words of the service or the connection
    const auto revoke = [&](const std::optional<core::Secret>& clear, std::string_view hint) {
        if (!clear) return Revocation::refused;
        const auto reply = turn->call(
            sys::PlaceKind::revocation, core::revocation_request(*service, *secret, *clear, hint));
        retry_after = reply.retry_after;
        if (auto failure = core::failure_of(reply); failure.cause != core::FailureCause::none)
            reason = ": " + failure.reason;
        return core::read_revocation_reply(reply);
    };
    const auto away = [&] {
        return Answer{Revocation::unavailable, "it is away" + reason, false, retry_after};
    };
    // A refresh token ends the grant with all its access tokens at most providers, but not at all
    // of them (RFC 7009 section 2.1).
    const auto refresh = revoke(
        token.refresh_token.empty() ? std::nullopt : open_refresh_token(deps, token, now),
        "refresh_token");
    if (refresh == Revocation::unavailable) return away();
    const auto access = revoke(open_access_token(deps, token, now), "access_token");
    if (access == Revocation::unavailable) return away();
    if (refresh == Revocation::revoked || access == Revocation::revoked)
        return {Revocation::revoked};
    return {Revocation::refused, "it refused" + reason};
}

// out: absent when another worker is revoking it, its service rests, or too many wait for others
std::optional<Answer> revoke_once(
    Dependencies& deps, const core::LinkedAccount& token, const RunningTime& running) {
    const auto service = deps.store.services.find(token.service);
    std::optional<ServiceTurn> turn;
    if (service) turn.emplace(deps, *service, token.id);
    if (turn && turn->rest()) return std::nullopt;
    const auto place = deps.enter(
        sys::PlaceKind::revocation, service ? service->revocation_endpoint : std::string());
    if (!place) return std::nullopt;
    const auto lease = deps.random.id(16);
    const auto now = running.now();
    const auto until = now + 2 * deps.policy.upstream_lease; // two requests
    if (deps.store.accounts.claim_refresh(token.id, token.version, lease, until, now) ==
        Applied::no)
        return std::nullopt;
    auto answer = ask(deps, token, service, turn ? &*turn : nullptr, now);
    const auto again = answer.outcome == Revocation::unavailable
                           ? core::after_failed_revocation(token, answer.retry_after, running.now())
                           : std::nullopt;
    if (again) {
        deps.store.accounts.note_refresh_failure(*again, lease);
        deps.store.accounts.postpone_revocations(token.service, *again->retry_at);
    } else {
        deps.store.accounts.remove(token.id);
    }
    answer.again = again.has_value();
    return answer;
}

std::optional<Revocation> revoke(
    Dependencies& deps, const core::LinkedAccount& token, const RunningTime& running) {
    const auto answer = revoke_once(deps, token, running);
    if (!answer) return std::nullopt;
    if (answer->outcome == Revocation::revoked)
        deps.log.event(
            "upstream_revoked", {{"service", token.service.text}, {"account", token.id}});
    else
        deps.log.event(
            "upstream_revocation_failed", {{"service", token.service.text},
                                           {"account", token.id},
                                           {"reason", answer->reason},
                                           {"retry", answer->again ? "yes" : "no"}});
    return answer->outcome;
}

void note(ServiceRevocation& revocation, const Answer& answer) {
    if (answer.outcome == Revocation::revoked) {
        ++revocation.revoked;
        return;
    }
    revocation.reason = answer.reason;
    if (!answer.again) ++revocation.not_revoked;
}

} // namespace

void revoke_now(Dependencies& deps, const core::LinkedAccount& token, core::Instant now) {
    if (deps.web == nullptr) return; // a worker of the server does it
    const auto ended = deps.store.accounts.find(core::Owner::ended(token.id), token.service);
    if (ended && !core::is_paused(*ended, now)) revoke(deps, *ended, RunningTime(deps.clock, now));
}

void disconnect(Dependencies& deps, const core::LinkedAccount& token, core::Instant now) {
    if (deps.store.accounts.mark_ended(token.id, now) == Applied::yes)
        revoke_now(deps, token, now); // otherwise another request was first
}

ServiceRevocation revoke_all_at(
    Dependencies& deps, const core::ServiceId& service,
    const std::function<bool(const ServiceRevocation&)>& go_on) {
    ServiceRevocation revocation;
    const RunningTime running(deps.clock, deps.clock.now());
    bool going = true, away = false;
    while (deps.store.accounts.mark_ended_at(service, deps.clock.now(), batch) > 0) {}
    while (going && !away) {
        const auto tokens = deps.store.accounts.list_to_revoke_at(service, deps.clock.now(), batch);
        if (tokens.empty()) {
            if (deps.store.accounts.count_at(service) == 0 || !go_on(revocation)) break;
            deps.clock.pause(look_every); // another worker is revoking the rest
        }
        for (const auto& token : tokens) {
            going = go_on(revocation);
            if (!going || away) break;
            const auto answer = revoke_once(deps, token, running);
            if (!answer) continue;
            note(revocation, *answer);
            away = answer->outcome == Revocation::unavailable;
        }
    }
    revocation.left = deps.store.accounts.count_at(service);
    return revocation;
}

std::size_t revoke_ended_accounts(Dependencies& deps, core::Instant now) {
    std::size_t done = 0;
    std::set<core::ServiceId> away;
    const RunningTime running(deps.clock, now);
    for (const auto& token : deps.store.accounts.list_to_revoke(now, batch)) {
        if (away.contains(token.service)) continue;
        if (running.now() - now >= max_turn) break;
        const auto revoked = revoke(deps, token, running);
        if (!revoked || *revoked == Revocation::unavailable)
            away.insert(token.service); // or another worker is revoking
        else
            ++done;
    }
    return done;
}

} // namespace consentgate::usecase
