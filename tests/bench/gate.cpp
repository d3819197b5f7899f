#include "bench.h"
#include "http_client.h"
#include "load.h"
#include "measure.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr int rounds = 25; // many and short: what slows the machine for a while meets only some of them
constexpr std::chrono::milliseconds round_length{400};
constexpr int at_once = 8;
constexpr double least_of_nothing = 0.85; // what the gate must make of the requests with an authorizer that does nothing
constexpr double most_lookup_us = 40;     // of a gate worker's CPU, beyond what doing nothing takes

// The same call again and again on one connection.
class Calling final : public Traveller {
public:
    Calling(int port, const std::string& path, const std::string& token)
        : http_(port), request_("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n\r\n") {}
    void prepare() override {}
    void travel() override {
        const auto reply = http_.exchange(request_);
        if (reply.status != 200 || reply.body != "behind\n") throw std::runtime_error("a call was answered " + std::to_string(reply.status) + " " + std::string(reply.body));
    }

private:
    HttpClient http_;
    std::string request_;
};

struct Rates {
    std::vector<double> open, nothing, gate;
    std::vector<double> nothing_us, gate_us; // CPU of the authorizer's workers, each decision
};

LoadResult calls(const Front& front, const std::string& path, const std::string& token) {
    return run_load({at_once, SIZE_MAX, round_length}, [&] { return std::make_unique<Calling>(front.port, path, token); });
}

double rate_and_cpu(const Front& front, const std::string& path, const std::string& token, pid_t master, std::vector<double>& us) {
    const auto workers = children_of(master);
    const double before = cpu_ms(workers);
    const auto result = calls(front, path, token);
    us.push_back((cpu_ms(workers) - before) * 1000 / static_cast<double>(result.waits.size()));
    return result.per_second();
}

} // namespace

int measure_gate(const std::string& token, const std::vector<Front>& fronts) {
    std::printf("(f) calls a second through the gate, %d at once, beside an authorizer that does nothing, and without one; medians of %d rounds, load %s\n", at_once, rounds,
                load_average().c_str());
    std::printf("  %-10s %8s %8s %8s %12s %16s %16s\n", "", "open", "nothing", "gate", "of nothing", "nothing, us CPU", "gate, us CPU");
    for (const auto& front : fronts) {
        Rates rates;
        for (int round = 0; round < rounds; ++round) {
            rates.open.push_back(calls(front, "/open", token).per_second());
            rates.nothing.push_back(rate_and_cpu(front, "/nothing", token, front.nothing, rates.nothing_us));
            rates.gate.push_back(rate_and_cpu(front, "/mcp", token, front.gate, rates.gate_us));
        }
        const double ratio = median_ratio(rates.gate, rates.nothing);
        const double lookup = median(rates.gate_us) - median(rates.nothing_us);
        std::printf("  %-10s %8.0f %8.0f %8.0f %12.2f %16.1f %16.1f  >= %.2f: %s; lookup %.1f us <= %.0f: %s\n", front.name.c_str(), median(rates.open), median(rates.nothing), median(rates.gate), ratio,
                    median(rates.nothing_us), median(rates.gate_us), least_of_nothing, ratio >= least_of_nothing ? "ok" : "MISSED", lookup, most_lookup_us, lookup <= most_lookup_us ? "ok" : "MISSED");
        std::fflush(stdout);
    }
    return EXIT_SUCCESS;
}

std::string sign_in_token(int port) {
    const auto client = register_client(port);
    SignIn person(port, client);
    person.prepare();
    return between(person.redeem(person.finish()), "\"access_token\":\"", "\"");
}

} // namespace consentgate::bench
