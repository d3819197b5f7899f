// Reading a client's metadata document from a stranger's host, without becoming that stranger's
// tool: to an address that anybody can reach, over verified TLS, in a time and size that are ours.
// spec: requirements R25, R30, R31
#pragma once

#include "consentgate/core/oauth/client_document.h"
#include "consentgate/sys/fetch_limiter.h"
#include "consentgate/sys/rate_limiter.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace consentgate::sys {

struct Fetched {
    enum class Outcome {
        answered,
        look_again, // another worker has just fetched the same; nothing was asked
        busy,       // too much is being fetched; try again after `retry_after_seconds`
        failed,     // no answer. `why` is for the log alone: what a name resolved to is nobody's
                    // business
    };
    Outcome outcome = Outcome::failed;
    core::DocumentAnswer answer{};
    int retry_after_seconds = 0;
    std::string reason{};
};

// What the caller does while no other worker is at the same document, so that none fetches what has
// just been kept.
struct FetchTurn {
    std::function<bool()> still_needed;                    // asked before
    std::function<void(const core::DocumentAnswer&)> keep; // called with an answer
};

class DocumentFetcher {
public:
    virtual ~DocumentFetcher() = default;
    // Throws what the caller's turn throws, and nothing of its own.
    virtual Fetched fetch(
        const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) = 0;
};

struct FetchLimits {
    std::chrono::milliseconds total{5000}; // resolving, connecting, TLS and reading together
    int per_minute = 60, per_host_per_minute = 10;
    std::size_t at_once = 2; // by all workers
    std::string test_ca{};   // PEM file of an authority for test hosts, besides the system's
};

// All addresses of a host, each in its 4 or 16 bytes. It may block: it runs in a thread of its own,
// which is left behind when it takes too long.
using Resolver = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> resolve_by_system(const std::string& host);

class GuardedFetcher final : public DocumentFetcher {
public:
    // The gate and the rates are the workers' common ones and outlive it.
    GuardedFetcher(
        FetchLimiter& gate, RateLimiter& rates, FetchLimits limits,
        Resolver resolver = resolve_by_system);
    ~GuardedFetcher() override;

    Fetched fetch(const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) override;

private:
    struct Trust;
    Fetched fetch_in_turn(
        const core::DocumentUrl& url, core::Instant now, FetchLimiter::Time deadline);
    Fetched fetch_admitted(const core::DocumentUrl& url, FetchLimiter::Time deadline);
    std::vector<std::string> allowed_addresses(
        const core::DocumentUrl& url, FetchLimiter::Time deadline);

    FetchLimiter& gate_;
    RateLimiter& rates_;
    FetchLimits limits_;
    Resolver resolver_;
    std::unique_ptr<Trust> trust_; // made at the first fetch
    std::shared_ptr<std::atomic<int>>
        lookups_; // running; shared with the threads that were left behind
};

} // namespace consentgate::sys
