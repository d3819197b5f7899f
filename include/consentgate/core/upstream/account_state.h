// The life of a linked account between its connection and its end, in one place: when its token is
// handed out, refreshed and waited for, and what a refresh that failed means.
//
//     connected ── lease ──▶ refreshing ── failure ──▶ resting ── time ──▶ connected
//         │                   │      └─── tokens ──▶ connected
//         │ over or doubted,  └─── refusal ──▶ needs_person ── connects again ──▶ connected
//         │ and no refresh token                    ▲
//         └─────────────────────────────────────────┘
//     each of them ── its owner is gone or disconnects it ──▶ ended
//
// account_doubt.h has what happens to a token that is refused before its time is over.
// spec: docs/services.md States of an account; docs/requirements.md XC5, XC6, XC7
#pragma once

#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>

namespace consentgate::core {

enum class AccountState {
    connected,
    refreshing,   // a worker has the lease
    resting,      // its last refresh failed, and it is not refreshed for a while
    needs_person, // no refresh will give a token any more: the person must connect anew
    ended,
};
AccountState state_of(const LinkedAccount& account, Instant now);

// How good its token is, in each of the states.
enum class Freshness {
    fresh,
    due,    // soon over, or good for we know not how long: to be refreshed now
    over,   // no good without a refresh
    broken, // the person must connect anew
};
Freshness freshness_of(const LinkedAccount& account, Instant now);

// A token whose life the service did not say is refreshed after an hour, where it can be, and is
// handed out while that fails.
inline constexpr Span unsaid_life{3600};

// No lease and no pause is ever written for longer. One that is further ahead was written before a
// clock was set back, and holds nobody.
inline constexpr Span longest_lease{300}, longest_pause{7200};

// Another worker is refreshing or revoking it.
bool has_lease(const LinkedAccount& account, Instant now);
// Its last refresh failed, and the next is not to be tried yet.
bool is_paused(const LinkedAccount& account, Instant now);

// The next step of a call that needs the token.
enum class AccountStep {
    hand_out,
    refresh,
    wait,  // for the worker that is refreshing it, because the token is no good until then
    pause, // no good, and not to be refreshed yet
    connect_anew,
};
AccountStep next_step(const LinkedAccount& account, Instant now);

// Whether an idle worker refreshes it before anybody has to wait: it was used within the hour, and
// is in the last third of its life, or within five minutes of its end. That is earlier than `due`.
inline constexpr Span used_lately{3600}, ahead_of_need{300};
inline constexpr int part_ahead_of_need = 3;
bool is_refreshed_ahead(const LinkedAccount& account, Instant now);

// The meaning of an answer without tokens.
enum class UpstreamError {
    refused,     // this code or refresh token will never be good (again), in words that are known
    odd_refusal, // refused in words that nobody knows: believed when it repeats
    client_refused,   // it says that it does not know us: believed when it is confirmed
    resource_refused, // it takes no `resource`, and is asked once more without
    unavailable,      // it says nothing about token or client: try later
};

struct RefreshFailure {
    UpstreamError error = UpstreamError::unavailable;
    std::string reason{};              // for the log
    std::optional<Span> retry_after{}; // as the service said
    FailureCause cause = FailureCause::none;
};

// An odd refusal is believed when it is the fifth, or comes an hour after the first. Answers that
// say nothing about the token lie between them without effect.
inline constexpr std::int64_t believed_odd_refusals = 5;
inline constexpr Span believed_odd_time{3600};

// The account after its service gave new tokens, which are sealed in it already.
// in: asked  when the request was sent, from which lives count
LinkedAccount after_refresh(
    LinkedAccount account, const std::optional<Instant>& expires_at, const std::string& scope,
    Instant asked);

// The account after a refresh that failed: when to try again, or that there is no point to it. What
// the service said about when outweighs our own pauses, within a second and an hour.
// in: now  the moment of the failure, not of the request: a service may take longer to fail than
//          the pause is long
LinkedAccount after_failure(LinkedAccount account, const RefreshFailure& failure, Instant now);

// The ended account after an attempt to revoke it that failed, with the time of the next. Absent:
// it has been tried for a day, enough.
std::optional<LinkedAccount> after_failed_revocation(
    LinkedAccount account, const std::optional<Span>& retry_after, Instant now);

} // namespace consentgate::core
