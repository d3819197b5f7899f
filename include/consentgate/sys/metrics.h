// Counters for a monitor. They lie in a file that all workers of the pages and of the gate map, so
// that one answer holds the sum of all workers, and no count is lost with a worker that dies.
// Counting takes no lock and no system call.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::sys {

// Closed set; src/sys/metrics.cpp has the name, the labels and the meaning of each. The comment
// gives the labels and their values.
enum class Metric {
    requests,           // route, status
    request_seconds,    // route
    gate_decisions,     // result: allowed, or the error
    gate_seconds,       // none
    finalizations,      // by: person, admin or remembered
    signins,            // idp, outcome: name_of(core::SigninOutcome)
    idp_seconds,        // idp, call: token, userinfo, keys, metadata or groups
    access_refusals,    // where: a route, or gate, token, introspection, exchange or signin
    upstream_refreshes, // service, outcome: refreshed, failed or broken
    store_retries,      // reason: collision, session_lost or unknown_outcome
    store_errors,       // none
    workers,            // role: pages or gate
    worker_deaths,      // role
    places_held,        // role, kind: name_of(PlaceKind)
    places_refused,     // role, kind
    services_resting,   // role, service
    service_failures,   // service, cause: name_of(core::FailureCause)
    // Not counted, but known when they are asked for: see Metrics::text.
    service_accounts,     // service, state: connected, failing or needs_person
    service_last_success, // service
};

// Label values come from sets that the program or its operator chose, never from a request: each
// new set of labels takes a row of the table for good.
struct Label {
    std::string_view name, value;
};
using Labels = std::initializer_list<Label>;

// A value that is not kept here, because something else knows it.
struct Known {
    Metric metric;
    std::vector<std::pair<std::string, std::string>> labels;
    std::uint64_t value = 0;
};

// The names that a monitor sees.
struct MetricNames {
    std::string name;
    std::vector<std::string> labels;
};
std::vector<MetricNames> metric_names();

class SharedMemory;

class Metrics {
public:
    // Opens or creates the file, readable for its owner only; replaces one of another program
    // version. Make it before the fork.
    // fail: throws std::runtime_error
    explicit Metrics(const std::string& file);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // A label that the metric does not have makes the count a lost one.
    void count(Metric metric, Labels labels);
    void observe(
        Metric metric, Labels labels,
        std::chrono::nanoseconds time);                          // of the ones that end in _seconds
    void set(Metric metric, Labels labels, std::uint64_t value); // of the ones that go up and down

    // Returns a counter or gauge; absent when it was never counted.
    std::optional<std::uint64_t> value(Metric metric, Labels labels) const;

    // The Prometheus text format, version 0.0.4. in: known  what else is true at this moment
    std::string text(const std::vector<Known>& known = {}) const;

private:
    struct Table;
    struct Row;
    Row* row(Metric metric, Labels labels);

    std::unique_ptr<SharedMemory> memory_;
    Table* table_; // in it
};

// Measures the time since its construction.
class Stopwatch {
public:
    std::chrono::nanoseconds taken() const { return std::chrono::steady_clock::now() - began_; }

private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

} // namespace consentgate::sys
