#include "consentgate/core/upstream/account_state.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr Span max_ahead{60}; // a token is refreshed so long before it ends,
constexpr int part_ahead = 5; // but not in the first four fifths of its life
constexpr Span first_pause{5}, max_pause{600};
// An odd refusal may be an error of the service that is put right in minutes, so the five that are
// believed may not come within one.
constexpr Span first_odd_pause{30};
constexpr Span least_said_pause{1}, max_said_pause{3600};
constexpr Span first_revocation_pause{30}, max_revocation_pause{7200}, revoke_for{86400};
constexpr std::int64_t max_revocation_attempts = 20;
constexpr std::size_t max_failure_bytes = 128;

Span life_of(const LinkedAccount& account, Instant now) {
    return *account.expires_at - account.updated_at.value_or(now);
}

// Doubled with each failure. in: failures  at least 1
Span pause_after(std::int64_t failures, Span first, Span max) {
    auto pause = first;
    for (std::int64_t failure = 1; failure < failures && pause < max; ++failure) pause *= 2;
    return std::min(pause, max);
}

bool is_ahead(const std::optional<Instant>& until, Span longest, Instant now) {
    return until && now < *until && *until - now <= longest;
}

// in: first  the odd refusal that began the row
bool is_believed(std::int64_t refusals, Instant first, Instant now) {
    return refusals >= believed_odd_refusals || (refusals > 1 && now - first >= believed_odd_time);
}

} // namespace

AccountState state_of(const LinkedAccount& account, Instant now) {
    if (account.ended_at) return AccountState::ended;
    if (freshness_of(account, now) == Freshness::broken) return AccountState::needs_person;
    if (has_lease(account, now)) return AccountState::refreshing;
    return is_paused(account, now) ? AccountState::resting : AccountState::connected;
}

Freshness freshness_of(const LinkedAccount& account, Instant now) {
    if (account.broken_at) return Freshness::broken;
    if (!account.expires_at) {
        // Without a refresh token it is good until the service refuses it.
        if (account.refresh_token.empty() || !account.updated_at) return Freshness::fresh;
        return now - *account.updated_at < unsaid_life ? Freshness::fresh : Freshness::due;
    }
    const bool over = *account.expires_at <= now;
    if (account.refresh_token.empty()) return over ? Freshness::broken : Freshness::fresh;
    if (over) return Freshness::over;
    const auto ahead = std::min(max_ahead, life_of(account, now) / part_ahead);
    return *account.expires_at - ahead <= now ? Freshness::due : Freshness::fresh;
}

bool has_lease(const LinkedAccount& account, Instant now) {
    return is_ahead(account.lease_until, longest_lease, now);
}

bool is_paused(const LinkedAccount& account, Instant now) {
    return is_ahead(account.retry_at, longest_pause, now);
}

AccountStep next_step(const LinkedAccount& account, Instant now) {
    const auto freshness = freshness_of(account, now);
    const bool good = freshness != Freshness::over;
    const bool doubted = account.doubted_at && !account.refresh_token.empty();
    switch (state_of(account, now)) {
    case AccountState::ended:
    case AccountState::needs_person: return AccountStep::connect_anew;
    case AccountState::refreshing:
        return good && !doubted ? AccountStep::hand_out : AccountStep::wait;
    // The service may have been wrong about a doubted token; nobody can tell until it answers.
    case AccountState::resting: return good ? AccountStep::hand_out : AccountStep::pause;
    case AccountState::connected: break;
    }
    return freshness == Freshness::fresh && !doubted ? AccountStep::hand_out : AccountStep::refresh;
}

bool is_refreshed_ahead(const LinkedAccount& account, Instant now) {
    if (state_of(account, now) != AccountState::connected) return false;
    if (account.refresh_token.empty() || !account.expires_at || !account.last_used_at) return false;
    if (*account.last_used_at + used_lately <= now || now + used_lately <= *account.last_used_at)
        return false;
    const auto left = *account.expires_at - now;
    return left <= std::min(ahead_of_need, life_of(account, now) / part_ahead_of_need);
}

LinkedAccount after_refresh(
    LinkedAccount account, const std::optional<Instant>& expires_at, const std::string& scope,
    Instant asked) {
    if (!scope.empty()) account.scope = scope;
    account.expires_at = expires_at;
    account.updated_at = asked;
    account.failures = account.odd_refusals = 0;
    account.failure.clear();
    account.failure_cause = FailureCause::none;
    account.retry_at = account.broken_at = account.odd_since = account.lease_until = std::nullopt;
    account.doubted_at.reset();
    return account;
}

LinkedAccount after_failure(LinkedAccount account, const RefreshFailure& failure, Instant now) {
    ++account.failures;
    account.failure = failure.reason.substr(0, max_failure_bytes);
    account.failure_cause = failure.cause;
    // Once the service has refused the request with `resource` and without, nobody knows which of
    // the two was wrong, or whether it was the token.
    const bool odd = failure.error == UpstreamError::odd_refusal ||
                     failure.error == UpstreamError::resource_refused;
    if (odd) {
        ++account.odd_refusals;
        if (!account.odd_since || now < *account.odd_since) account.odd_since = now;
    }
    if (failure.error == UpstreamError::refused ||
        (odd && is_believed(account.odd_refusals, *account.odd_since, now))) {
        account.broken_at = now;
        return account;
    }
    const auto own = odd ? pause_after(account.odd_refusals, first_odd_pause, max_pause)
                         : pause_after(account.failures, first_pause, max_pause);
    account.retry_at =
        now + (failure.retry_after
                   ? std::clamp(*failure.retry_after, least_said_pause, max_said_pause)
                   : own);
    return account;
}

std::optional<LinkedAccount> after_failed_revocation(
    LinkedAccount account, const std::optional<Span>& retry_after, Instant now) {
    ++account.failures;
    if (account.failures >= max_revocation_attempts ||
        account.ended_at.value_or(now) + revoke_for <= now)
        return std::nullopt;
    account.retry_at =
        now + std::max(
                  pause_after(account.failures, first_revocation_pause, max_revocation_pause),
                  std::min(retry_after.value_or(Span(0)), max_said_pause));
    return account;
}

} // namespace consentgate::core
