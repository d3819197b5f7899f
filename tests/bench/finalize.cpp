#include "bench.h"

#include "consentgate/sys/clock.h"
#include "measure.h"
#include "pgbench.h"
#include "round.h"
#include "stock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace consentgate::bench {
namespace {

using store::Engine;

const int rounds = rounds_of(5);

// The program that our store is compared with on each engine, and the share of its speed we want.
struct Yardstick {
    const char* name;
    double target;
};
Yardstick yardstick_of(Engine engine) {
    if (engine == Engine::sqlite) return {"plain C", 0.7};
    return {engine == Engine::postgresql ? "pgbench" : "plain C", 0.6};
}

class Arena {
public:
    Arena(const std::string& address, std::string folder)
        : config_(config_of(address)),
          folder_(std::move(folder)),
          start_(sys::SystemClock().now()),
          stock_(use_flows(max_flows, start_)) {
        store::migrate(config_, start_);
        if (config_.engine == Engine::sqlite) put_flows(config_, max_flows, start_);
        check_step_texts(fresh(), stock_.front());
    }

    Engine engine() const { return config_.engine; }

    RoundResult run_ours(int processes) {
        const auto config = fresh();
        return checked(
            config, run_round([&] { return open_our_finalizer(config); }, processes, stock_));
    }

    RoundResult run_yardstick(int processes) {
        const auto config = fresh();
        if (config.engine == Engine::postgresql)
            return checked(config, run_pgbench(config, folder_, processes, stock_.front()));
        const auto open =
            config.engine == Engine::sqlite ? open_sqlite_finalizer : open_mariadb_finalizer;
        return checked(config, run_round([&] { return open(config); }, processes, stock_));
    }

private:
    // The database as every round begins: all flows are there and none is finalized. It is already
    // on the disk, so that no round pays for another's writing.
    store::StoreConfig fresh() const {
        return config_.engine == Engine::sqlite ? fresh_copy() : fresh_tables();
    }

    store::StoreConfig fresh_copy() const {
        auto config = config_;
        config.path += ".round";
        for (const auto* part : {"", "-wal", "-shm"}) std::filesystem::remove(config.path + part);
        std::filesystem::copy_file(config_.path, config.path);
        const int file = ::open(config.path.c_str(), O_RDONLY);
        if (file < 0 || ::fsync(file) != 0)
            throw std::runtime_error(config.path + " did not reach the disk");
        ::close(file);
        return config;
    }

    store::StoreConfig fresh_tables() const {
        {
            Database database(config_);
            truncate(database);
        }
        put_flows(config_, max_flows, start_);
        ::usleep(200'000); // the other nodes of a cluster are behind
        return config_;
    }

    // A fast store that loses rows would win every comparison.
    static RoundResult checked(const store::StoreConfig& config, RoundResult result) {
        Database database(config);
        const auto finalized = static_cast<std::int64_t>(result.waits.size());
        const bool whole =
            database.number("SELECT count(*) FROM session") == finalized &&
            database.number("SELECT count(*) FROM code") == finalized &&
            database.number("SELECT count(*) FROM flow") ==
                static_cast<std::int64_t>(max_flows) - finalized &&
            database.number("SELECT count(*) FROM session s JOIN code k ON k.session_id = s.id") ==
                finalized &&
            database.number("SELECT count(*) FROM session s JOIN flow f ON f.id = s.flow_id") == 0;
        if (!whole) throw std::runtime_error("the database does not hold the finalized flows");
        return result;
    }

    store::StoreConfig config_;
    std::string folder_;
    core::Instant start_;
    std::vector<core::Finalization> stock_;
};

struct Side {
    std::vector<double> per_second, waits;

    void add(const RoundResult& result) {
        per_second.push_back(result.per_second);
        waits.insert(waits.end(), result.waits.begin(), result.waits.end());
    }
};

void print_line(int processes, const Side& ours, const Side& theirs, double target) {
    const double ratio = median_ratio(ours.per_second, theirs.per_second);
    const auto our_waits = waits_of(ours.waits);
    const auto their_waits = waits_of(theirs.waits);
    std::printf(
        "  %9d %11.0f %11.0f %7.2f %-7s %8.2f %8.1f %14.2f %8.1f\n", processes,
        median(ours.per_second), median(theirs.per_second), ratio,
        ratio >= target ? "ok" : "MISSED", our_waits.p99, our_waits.max, their_waits.p99,
        their_waits.max);
}

} // namespace

int measure_finalizing(const std::string& address, const std::string& folder) {
    Arena arena(address, folder);
    const auto yardstick = yardstick_of(arena.engine());
    std::printf(
        "(a) finalizing transactions per second, every commit on the disk, where one takes %.2f "
        "ms; medians of %d rounds, load %s\n",
        sync_ms(folder), rounds, load_average().c_str());
    std::printf(
        "  %9s %11s %11s %7s >= %-4.1f %8s %8s %7s p99 ms %8s\n", "processes", "ours",
        yardstick.name, "ratio", yardstick.target, "p99 ms", "max ms", yardstick.name, "max ms");
    for (const int processes : {1, 4}) {
        Side ours;
        Side theirs;
        for (int round = 0; round < rounds;
             ++round) { // by turns, so that a disturbance from outside meets both
            ours.add(arena.run_ours(processes));
            theirs.add(arena.run_yardstick(processes));
        }
        print_line(processes, ours, theirs, yardstick.target);
        std::fflush(stdout);
    }
    // Shared disks are throttled now and then; a run with two different figures is to be made
    // again.
    std::printf(
        "  one commit to this disk afterwards: %.2f ms; load %s\n", sync_ms(folder),
        load_average().c_str());
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
