#include "bench.h"
#include "load.h"
#include "measure.h"

#include <algorithm>
#include <cstdio>

namespace consentgate::bench {
namespace {

const int rounds = rounds_of(3);
constexpr std::chrono::seconds round_length{2};
constexpr std::size_t warm_up =
    400; // journeys: every worker has met every page and statement, and its caches are full
constexpr std::size_t milestone = 10000;
constexpr std::chrono::seconds patience{
    25};                            // for the journeys of one milestone, on a machine that is slow
constexpr double max_resident = 20; // MiB
constexpr double no_growth =
    0.25; // MiB between the milestones: what one page here and there amounts to

struct Subject {
    std::vector<pid_t> processes; // all that serve it
    MakeTraveller make;
    std::vector<double> per_second{}, cpu_each{}, waits{}; // rates and CPU time one a round
};

class Journeys {
public:
    explicit Journeys(const Servers& servers)
        : servers_(servers), client_(register_client(servers.port)) {}

    // out: how many of them were made
    std::size_t until(std::size_t total) {
        run_load({4, total - std::min(total, made_), patience}, ours(), made_);
        return made_;
    }

    void compare(int concurrent) {
        Subject us{serving(servers_.consentgate), ours()};
        Subject nothing{serving(servers_.noop), [this] {
                            return std::make_unique<SixRequests>(servers_.port);
                        }};
        double generator = 0;
        for (int round = 0; round < rounds; ++round) {
            const auto before = own_cpu_ms();
            const auto already = us.waits.size();
            measure(us, concurrent);
            generator +=
                (own_cpu_ms() - before) / static_cast<double>(us.waits.size() - already) / rounds;
            measure(nothing, concurrent);
        }
        made_ += us.waits.size();
        print(concurrent, us, nothing, generator);
    }

private:
    MakeTraveller ours() {
        return [this] { return std::make_unique<SignIn>(servers_.port, client_); };
    }

    std::vector<pid_t> serving(pid_t master) const {
        auto pids = children_of(master);
        pids.push_back(master);
        pids.push_back(servers_.lighttpd);
        return pids;
    }

    static void measure(Subject& subject, int concurrent) {
        const auto before = cpu_ms(subject.processes);
        const auto result = bench::run_load({concurrent, SIZE_MAX, round_length}, subject.make);
        subject.per_second.push_back(result.per_second());
        subject.cpu_each.push_back(
            (cpu_ms(subject.processes) - before) / static_cast<double>(result.waits.size()));
        subject.waits.insert(subject.waits.end(), result.waits.begin(), result.waits.end());
    }

    static void run_load(const Load& load, const MakeTraveller& make, std::size_t& made) {
        made += bench::run_load(load, make).waits.size();
    }

    static void print(int concurrent, const Subject& us, const Subject& nothing, double generator) {
        const auto mine = waits_of(us.waits);
        const auto bare = waits_of(nothing.waits);
        std::printf(
            "  %10d %10.0f %8.2f %8.2f %8.1f %8.2f %12.0f %8.2f %8.2f %8.1f %8.2f %10.2f\n",
            concurrent, median(us.per_second), mine.p50, mine.p99, mine.max, median(us.cpu_each),
            median(nothing.per_second), bare.p50, bare.p99, bare.max, median(nothing.cpu_each),
            generator);
        std::fflush(stdout);
    }

    Servers servers_;
    std::string client_;
    std::size_t made_ = 0;
};

// The memory of the worker that uses most.
Memory largest_worker(pid_t master) {
    Memory largest;
    for (const auto pid : children_of(master)) {
        const auto memory = memory_of(pid);
        if (memory.resident > largest.resident) largest = memory;
    }
    return largest;
}

struct Reading {
    std::size_t journeys;
    Memory memory;
};

void print_memory(const std::vector<Reading>& readings) {
    std::printf(
        "(d) memory of a worker, the largest of them\n  %10s %10s %10s\n", "journeys", "RSS MiB",
        "PSS MiB");
    for (const auto& [journeys, memory] : readings)
        std::printf("  %10zu %10.2f %10.2f\n", journeys, memory.resident, memory.proportional);
    const auto& last = readings.back().memory;
    const double growth = last.resident - readings[readings.size() - 2].memory.resident;
    std::printf(
        "  at most %.0f MiB: %s; grown since the reading before by %.2f MiB: %s\n", max_resident,
        last.resident <= max_resident ? "ok" : "MISSED", growth,
        growth <= no_growth ? "ok" : "MISSED");
}

} // namespace

int measure_journeys(const Servers& servers) {
    Journeys journeys(servers);
    std::vector<Reading> readings;
    const auto read_at = [&](std::size_t total) {
        const auto made = journeys.until(total);
        readings.push_back({made, largest_worker(servers.consentgate)});
    };
    read_at(warm_up);
    std::printf(
        "(c) journeys of 6 requests per second, beside 6 requests to a FastCGI program that "
        "does nothing; medians of %d rounds, load %s\n",
        rounds, load_average().c_str());
    std::printf(
        "  %10s %10s %8s %8s %8s %8s %12s %8s %8s %8s %8s %10s\n", "concurrent", "journeys/s",
        "p50 ms", "p99 ms", "max ms", "CPU ms", "nothing: /s", "p50 ms", "p99 ms", "max ms",
        "CPU ms", "client CPU");
    for (const int concurrent : {1, 4, 16}) journeys.compare(concurrent);
    read_at(milestone);
    read_at(2 * milestone);
    print_memory(readings);
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
