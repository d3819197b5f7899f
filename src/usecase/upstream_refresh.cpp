#include "consentgate/usecase/upstream_refresh.h"

#include "account_refresh.h"

#include <set>

namespace consentgate::usecase {
namespace {

using End = AccountRefresh::End;

constexpr std::size_t batch = 20;
constexpr core::Span max_turn{
    3}; // then no further one is begun, because the worker has requests to answer
constexpr core::Span slow{1};

} // namespace

std::size_t refresh_ahead_of_need(Dependencies& deps, core::Instant now) {
    const RunningTime running(deps.clock, now);
    std::size_t done = 0;
    std::set<core::ServiceId> left_alone;
    for (const auto& account : deps.store.accounts.list_to_refresh(now, batch)) {
        const auto begun = running.now();
        if (begun - now >= max_turn) break;
        if (left_alone.contains(account.service) || !core::is_refreshed_ahead(account, begun))
            continue;
        const auto service = deps.store.services.find(account.service);
        if (!service || !service->active) continue;
        const auto refresh = refresh_account(deps, account, *service, running, "idle");
        if (refresh.end == End::refreshed) ++done;
        // A refusal is about one account; every other failure is the service's.
        const bool failed = refresh.end == End::failed && !refresh.account.broken_at;
        if (failed || refresh.end == End::not_begun || running.now() - begun > slow)
            left_alone.insert(account.service);
    }
    return done;
}

} // namespace consentgate::usecase
