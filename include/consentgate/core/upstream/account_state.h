// The life of a linked account between its connection and its end, in one place: when its token is
// handed out, refreshed and waited for, and what a refresh that failed means.
//
//     fresh ── time ──▶ due ── time ──▶ over        a refresh leads from each back to fresh,
//                                                   a refusal of the service to broken
// spec: docs/services.md Refreshing
#pragma once

#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>

namespace consentgate::core {

enum class Freshness {
    fresh,
    due,    // soon over: good still, but to be refreshed now
    over,   // no good without a refresh
    broken, // the person must connect anew
};
Freshness freshness_of(const LinkedAccount& account, Instant now);

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
    refused, // this code or refresh token will never be good (again): the person must connect anew
    registration_lost, // the service does not know us any more
    unavailable,       // try later
};

struct RefreshFailure {
    UpstreamError error = UpstreamError::unavailable;
    std::string reason{};              // for the log
    std::optional<Span> retry_after{}; // as the service said
};

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
