// Calls of a server behind the gate through a web server, in rounds.
#pragma once

#include "http_client.h"
#include "load.h"
#include "measure.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace consentgate::bench {

inline constexpr std::chrono::milliseconds round_length{400};
inline constexpr int at_once = 8;

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
    Way(int port, const std::string& path, const std::vector<std::string>& tokens, pid_t master = 0)
        : port_(port), calls_(path, tokens), master_(master) {}

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

} // namespace consentgate::bench
