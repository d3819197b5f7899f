// Fetches a client's metadata document, or its keys, from a stranger's host. It bounds how much all
// workers fetch, and lets one worker fetch what several want; HttpClient bounds a single request.
// spec: docs/requirements.md R25, R30, R31, XD4
#pragma once

#include "consentgate/core/oauth/client_document.h"
#include "consentgate/sys/fetch_limiter.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/rate_limiter.h"

#include <chrono>
#include <functional>
#include <string>

namespace consentgate::sys {

struct Fetched {
    enum class Outcome {
        answered,
        look_again, // another worker has just fetched the same; nothing was asked
        busy,       // too much is being fetched; try again after `retry_after_seconds`
        failed,     // no answer; `reason` is for the log alone, since it tells what a name
                    // resolves to here
    };
    Outcome outcome = Outcome::failed;
    core::DocumentAnswer answer{};
    int retry_after_seconds = 0;
    bool unresolved = false; // failed, because the host's name leads to no address
    std::string reason{};
};

// Runs while no other worker fetches the same document, so that no worker fetches a document that
// another one has just saved.
struct FetchTurn {
    Purpose purpose;
    std::function<bool()> still_needed;                    // asked before
    std::function<void(const core::DocumentAnswer&)> keep; // called with an answer
    std::string caller{}; // whose request leads to it, as core::caller_of says
    bool known = false;   // what is fetched was here before, and people rely on it
};

class DocumentFetcher {
public:
    virtual ~DocumentFetcher() = default;
    // Throws what the functions of `turn` throw, and nothing of its own.
    virtual Fetched fetch(
        const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) = 0;
};

struct FetchLimits {
    std::chrono::milliseconds total{5000}; // waiting for another worker and the request together
    // Bound what all workers together fetch. Known documents have a quarter of the first two for
    // themselves, and one caller gets at most half of a host's. 0: no limit.
    int per_minute = 60, per_host_per_minute = 10;
    int per_caller_per_minute = 10;
    std::size_t at_once = 2; // by all workers
};

class LimitedFetcher final : public DocumentFetcher {
public:
    // The limiter, the rates and the places are shared by the workers; all must outlive the
    // fetcher.
    LimitedFetcher(
        FetchLimiter& limiter, RateLimiter& rates, Places& places, HttpClient& http,
        const FetchLimits& limits)
        : limiter_(limiter), rates_(rates), places_(places), http_(http), limits_(limits) {}

    Fetched fetch(const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) override;

private:
    Fetched fetch_within_rates(
        const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn,
        FetchLimiter::Time deadline);
    Fetched ask(const core::DocumentUrl& url, Purpose purpose, FetchLimiter::Time deadline);

    FetchLimiter& limiter_;
    RateLimiter& rates_;
    Places& places_;
    HttpClient& http_;
    FetchLimits limits_;
};

} // namespace consentgate::sys
