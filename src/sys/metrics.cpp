#include "consentgate/sys/metrics.h"

#include "shared_memory.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>

namespace consentgate::sys {
namespace {

enum class Kind { counter, gauge, histogram };

using LabelNames = std::array<std::string_view, 2>; // those that are not there are empty

struct Family {
    Kind kind;
    std::string_view name;
    LabelNames labels;
    std::string_view help;
};

// In the order of enum class Metric.
constexpr std::array families{
    Family{
        .kind = Kind::counter,
        .name = "consentgate_requests_total",
        .labels = {"route", "status"},
        .help = "Requests to the pages and endpoints, by route and status."},
    Family{
        .kind = Kind::histogram,
        .name = "consentgate_request_seconds",
        .labels = {"route"},
        .help = "Time from the whole request to its answer."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_gate_decisions_total",
        .labels = {"result"},
        .help = "Requests the gate was asked about, by what it decided."},
    Family{
        .kind = Kind::histogram,
        .name = "consentgate_gate_seconds",
        .labels = {},
        .help = "Time of a decision of the gate."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_finalizations_total",
        .labels = {"by"},
        .help = "Sign-ins that became a session: finished by the person, by an admin, or "
                "remembered."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_signins_total",
        .labels = {"idp", "outcome"},
        .help = "People who came back from an identity provider, by what became of it."},
    Family{
        .kind = Kind::histogram,
        .name = "consentgate_idp_seconds",
        .labels = {"idp", "call"},
        .help = "Time that identity providers took to answer, by what they were asked for."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_access_refusals_total",
        .labels = {"where"},
        .help = "Refusals by rules of who may use what, by where it was."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_upstream_refreshes_total",
        .labels = {"service", "outcome"},
        .help = "Refreshes of upstream tokens at services."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_store_retries_total",
        .labels = {"reason"},
        .help = "Transactions that the database made us run again."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_store_errors_total",
        .labels = {},
        .help = "Transactions that the database failed for good."},
    Family{
        .kind = Kind::gauge,
        .name = "consentgate_workers",
        .labels = {"role"},
        .help = "Worker processes that run."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_worker_deaths_total",
        .labels = {"role"},
        .help = "Worker processes that ended without being asked to."},
    Family{
        .kind = Kind::gauge,
        .name = "consentgate_places_held",
        .labels = {"role", "kind"},
        .help = "Workers that wait for a service, a client's host, another worker or a body."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_places_refused_total",
        .labels = {"role", "kind"},
        .help = "Requests answered 503 because as many workers as allowed were waiting."},
    Family{
        .kind = Kind::gauge,
        .name = "consentgate_services_resting",
        .labels = {"role", "service"},
        .help = "1 while a service that did not answer is left alone."},
    Family{
        .kind = Kind::counter,
        .name = "consentgate_service_failures_total",
        .labels = {"service", "cause"},
        .help = "Requests to services that brought nothing of use, by why."},
    Family{
        .kind = Kind::gauge,
        .name = "consentgate_service_accounts",
        .labels = {"service", "state"},
        .help = "Linked accounts: connected, failing (to be refreshed again), needs_person."},
    Family{
        .kind = Kind::gauge,
        .name = "consentgate_service_last_success_timestamp_seconds",
        .labels = {"service"},
        .help = "When a service last gave or refreshed a token that is still linked."},
};
static_assert(families.size() == static_cast<std::size_t>(Metric::service_last_success) + 1);

constexpr std::array<double, 12> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                        0.01,   0.025,   0.1,    0.5,   2,      10}; // seconds
constexpr std::size_t beyond = bounds.size(); // the bucket of what took longer
constexpr std::size_t total = beyond + 1;     // nanoseconds of all

constexpr std::size_t max_labels_bytes = 111;
constexpr std::size_t rows = 1024;

// States of a row. A row that a worker was writing when it died stays unusable; its labels then
// take another row.
constexpr std::uint32_t free_row = 0, being_written = 1, in_use = 2;

std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

bool has_labels(const Family& family, Labels labels) {
    return std::all_of(labels.begin(), labels.end(), [&](const Label& label) {
        return std::find(family.labels.begin(), family.labels.end(), label.name) !=
               family.labels.end();
    });
}

template <class Pairs> std::string text_of(const Pairs& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        if (!text.empty()) text += ',';
        text.append(name).append("=\"").append(escaped(value)).append("\"");
    }
    return text;
}

std::string number(double value) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.9g", value);
    return text.data();
}

} // namespace

struct Metrics::Row {
    std::atomic<std::uint32_t> state;
    std::uint32_t metric;
    std::array<char, max_labels_bytes + 1> labels;
    // A histogram uses one value for each bucket, not cumulative; a counter or gauge the first.
    std::array<std::atomic<std::uint64_t>, total + 1> values;
};

struct Metrics::Table {
    std::uint64_t layout; // of the program version that made this file
    std::atomic<std::uint64_t> lost;
    std::array<Row, rows> row;
    static_assert(
        std::atomic<std::uint64_t>::is_always_lock_free &&
            std::atomic<std::uint32_t>::is_always_lock_free,
        "shared between processes");

    static constexpr std::uint64_t this_layout() {
        return 0x6367'6d65'0001'0000ULL + sizeof(Table) + families.size();
    }
};

Metrics::Metrics(const std::string& file) {
    try {
        memory_ = std::make_unique<SharedMemory>(file, sizeof(Table), Table::this_layout());
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(std::string("metrics_file ") + error.what());
    }
    table_ = static_cast<Table*>(memory_->data());
}

Metrics::~Metrics() = default;

Metrics::Row* Metrics::row(Metric metric, Labels labels) {
    const auto wanted = text_of(labels);
    const auto kind = static_cast<std::uint32_t>(metric);
    const bool fits = wanted.size() <= max_labels_bytes && has_labels(families[kind], labels);
    const auto start = std::hash<std::string>{}(wanted) + kind * 31;
    for (std::size_t i = 0; fits && i < rows; ++i) {
        auto& row = table_->row[(start + i) % rows];
        auto state = row.state.load(std::memory_order_acquire);
        if (state == free_row && row.state.compare_exchange_strong(state, being_written)) {
            row.metric = kind;
            std::memcpy(row.labels.data(), wanted.data(), wanted.size());
            row.state.store(in_use, std::memory_order_release);
            return &row;
        }
        // Another worker may be writing the same labels in another row; text() adds the two up.
        if (state == in_use && row.metric == kind && wanted == row.labels.data()) return &row;
    }
    table_->lost.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
}

void Metrics::count(Metric metric, Labels labels) {
    if (auto* found = row(metric, labels)) found->values[0].fetch_add(1, std::memory_order_relaxed);
}

void Metrics::observe(Metric metric, Labels labels, std::chrono::nanoseconds time) {
    auto* found = row(metric, labels);
    if (!found) return;
    const auto seconds = std::chrono::duration<double>(time).count();
    const auto bucket = static_cast<std::size_t>(
        std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin());
    found->values[bucket].fetch_add(1, std::memory_order_relaxed);
    found->values[total].fetch_add(
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count())),
        std::memory_order_relaxed);
}

void Metrics::set(Metric metric, Labels labels, std::uint64_t value) {
    if (auto* found = row(metric, labels)) found->values[0].store(value, std::memory_order_relaxed);
}

namespace {

using Values = std::array<std::uint64_t, total + 1>;

std::string line(std::string_view name, const std::string& labels, const std::string& value) {
    return std::string(name) + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
}

std::string histogram_lines(const Family& family, const std::string& labels, const Values& values) {
    const auto name = std::string(family.name);
    const auto before = labels.empty() ? "" : labels + ",";
    std::string out;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i <= beyond; ++i) {
        seen += values[i];
        out += line(
            name + "_bucket", before + "le=\"" + (i == beyond ? "+Inf" : number(bounds[i])) + "\"",
            std::to_string(seen));
    }
    return out + line(name + "_sum", labels, number(static_cast<double>(values[total]) / 1e9)) +
           line(name + "_count", labels, std::to_string(seen));
}

std::string_view word_for(Kind kind) {
    return kind == Kind::counter ? "counter" : kind == Kind::gauge ? "gauge" : "histogram";
}

std::string family_lines(const Family& family, const std::map<std::string, Values>& series) {
    std::string out = "# HELP " + std::string(family.name) + " " + std::string(family.help) +
                      "\n# TYPE " + std::string(family.name) + " " +
                      std::string(word_for(family.kind)) + "\n";
    for (const auto& [labels, values] : series) {
        out += family.kind == Kind::histogram
                   ? histogram_lines(family, labels, values)
                   : line(family.name, labels, std::to_string(values[0]));
    }
    return out;
}

} // namespace

std::vector<MetricNames> metric_names() {
    std::vector<MetricNames> names;
    for (const auto& family : families) {
        auto& metric = names.emplace_back(MetricNames{std::string(family.name), {}});
        for (const auto label : family.labels) {
            if (!label.empty()) metric.labels.emplace_back(label);
        }
    }
    names.push_back({"consentgate_metrics_lost_total", {}});
    return names;
}

std::optional<std::uint64_t> Metrics::value(Metric metric, Labels labels) const {
    const auto wanted = text_of(labels);
    std::optional<std::uint64_t> sum;
    for (const auto& row : table_->row) {
        if (row.state.load(std::memory_order_acquire) != in_use ||
            row.metric != static_cast<std::uint32_t>(metric) || wanted != row.labels.data())
            continue;
        sum = sum.value_or(0) + row.values[0].load(std::memory_order_relaxed);
    }
    return sum;
}

std::string Metrics::text(const std::vector<Known>& known) const {
    std::array<std::map<std::string, Values>, families.size()> found;
    for (const auto& row : table_->row) {
        if (row.state.load(std::memory_order_acquire) != in_use || row.metric >= families.size())
            continue;
        auto& values = found[row.metric][row.labels.data()];
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] += row.values[i].load(std::memory_order_relaxed);
    }
    for (const auto& one : known)
        found[static_cast<std::size_t>(one.metric)][text_of(one.labels)][0] = one.value;
    std::string out;
    for (std::size_t i = 0; i < families.size(); ++i) {
        // A counter without labels is zero before the first count, so that a monitor can tell
        // "never" from "not counted".
        if (i == static_cast<std::size_t>(Metric::store_errors)) found[i].try_emplace("");
        out += family_lines(families[i], found[i]);
    }
    return out +
           "# HELP consentgate_metrics_lost_total Counts for which the table had no place.\n"
           "# TYPE consentgate_metrics_lost_total counter\n" +
           line(
               "consentgate_metrics_lost_total", "",
               std::to_string(table_->lost.load(std::memory_order_relaxed)));
}

} // namespace consentgate::sys
