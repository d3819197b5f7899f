#include "bench.h"
#include "http_client.h"
#include "load.h"
#include "measure.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr int rounds =
    25; // many and short: what slows the machine for a while meets only some of them
constexpr std::chrono::milliseconds round_length{400};
constexpr int at_once = 8;
constexpr double least_of_nothing =
    0.85; // what the gate must make of the requests with an authorizer that does nothing
constexpr double max_lookup_us =
    40; // of a gate worker's CPU: what it takes longer about a session that it does not remember
// So many that hardly any is asked about again while a worker has it in its cache
// (StoreConfig::max_cached).
constexpr std::size_t many_sessions = 2500;

// Calls that differ in nothing but their tokens, which take turns.
class Calls {
public:
    Calls(const std::string& path, const std::vector<std::string>& tokens) {
        for (const auto& token : tokens)
            requests_.push_back(
                "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token +
                "\r\n\r\n");
    }
    const std::string& next() {
        return requests_[next_.fetch_add(1, std::memory_order_relaxed) % requests_.size()];
    }

private:
    std::vector<std::string> requests_;
    std::atomic<std::size_t> next_{0};
};

class Calling final : public Traveller {
public:
    Calling(int port, Calls& calls) : http_(port), calls_(calls) {}
    void prepare() override {}
    void travel() override {
        const auto reply = http_.exchange(calls_.next());
        if (reply.status != 200 || reply.body != "behind\n")
            throw std::runtime_error(
                "a call was answered " + std::to_string(reply.status) + " " +
                std::string(reply.body));
    }

private:
    HttpClient http_;
    Calls& calls_;
};

// One way to call, and what it came to in each round.
class Way {
public:
    // in: master  of the authorizer, whose children decide; 0: there is none
    Way(const Front& front, const std::string& path, const std::vector<std::string>& tokens,
        pid_t master = 0)
        : port_(front.port), calls_(path, tokens), master_(master) {}

    void take_round() {
        const auto workers = master_ == 0 ? std::vector<pid_t>() : children_of(master_);
        const double before = cpu_ms(workers);
        const auto result = run_load({at_once, SIZE_MAX, round_length}, [&] {
            return std::make_unique<Calling>(port_, calls_);
        });
        rates_.push_back(result.per_second());
        us_.push_back((cpu_ms(workers) - before) * 1000 / static_cast<double>(result.waits.size()));
    }
    double rate() const { return median(rates_); }
    double us() const { return median(us_); } // CPU of the authorizer's workers, each decision
    double of(const Way& other) const { return median_ratio(rates_, other.rates_); }

private:
    int port_;
    Calls calls_;
    pid_t master_;
    std::vector<double> rates_, us_;
};

void measure(const Front& front, const std::vector<std::string>& tokens) {
    const std::vector<std::string> one{tokens.front()};
    Way open(front, "/open", one), nothing(front, "/nothing", one, front.nothing),
        gate(front, "/mcp", one, front.gate), many(front, "/mcp", tokens, front.gate);
    for (int round = 0; round < rounds; ++round) {
        for (auto* way : {&open, &nothing, &gate, &many}) way->take_round();
    }
    const double ratio = gate.of(nothing), lookup = many.us() - gate.us();
    std::printf(
        "  %-10s %8.0f %8.0f %8.0f %8.0f %8.2f %8.2f %10.1f %8.1f %8.1f   >= %.2f: %s; lookup "
        "%.1f us <= %.0f: %s\n",
        front.name.c_str(), open.rate(), nothing.rate(), gate.rate(), many.rate(), ratio,
        many.of(nothing), nothing.us(), gate.us(), many.us(), least_of_nothing,
        ratio >= least_of_nothing ? "ok" : "MISSED", lookup, max_lookup_us,
        lookup <= max_lookup_us ? "ok" : "MISSED");
    std::fflush(stdout);
}

} // namespace

int measure_gate(int port, const std::vector<Front>& fronts) {
    const auto tokens = sign_in(port, many_sessions);
    std::printf(
        "(f) calls a second through the gate, %d at once: without it, beside an authorizer that "
        "does nothing, of one session as a client calls, and of %zu by turns;\n"
        "    medians of %d rounds, load %s\n",
        at_once, many_sessions, rounds, load_average().c_str());
    std::printf(
        "  %-10s %8s %8s %8s %8s %17s %28s\n", "", "open", "nothing", "one", "many",
        "of nothing: 1, many", "us CPU: nothing, one, many");
    for (const auto& front : fronts) measure(front, tokens);
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
