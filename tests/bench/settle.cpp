#include "bench.h"

#include "consentgate/store/open.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/random.h"
#include "measure.h"
#include "round.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr int rounds = 7;
constexpr std::chrono::seconds round_length{1};
constexpr std::size_t stock_size = 12000; // more than a round settles where a commit reaches a disk
constexpr std::int64_t stock_patience_ns = 10'000'000'000; // a disk that takes longer settles less in a round, too
constexpr double target = 0.7;

class OurSettler final : public Settler {
public:
    explicit OurSettler(store::StoreConfig config) : store_(store::open_store(std::move(config))) { store_->schema_version(); }
    void settle(const core::Settlement& settlement) override {
        if (store_->settle_flow(settlement) != store::Outcome::done) throw std::runtime_error("our store: the flow was not there");
    }

private:
    std::unique_ptr<store::Store> store_;
};

// As the workers of one master have it: the queue is made before they are forked.
store::StoreConfig config_of(const std::string& database) {
    static const auto queue = std::make_shared<store::WriterQueue>();
    store::StoreConfig config;
    config.queue = queue;
    config.path = database;
    return config;
}

// As a person's sign-in leaves it when they press Finish.
core::Flow make_flow(sys::Random& random, core::Instant now) {
    core::Flow flow;
    flow.id = core::FlowId(random.id(16));
    flow.client_id = core::ClientId("bench-client");
    flow.browser = core::sha256(random.secret());
    flow.redirect_uri = "http://127.0.0.1:53111/callback";
    flow.state = random.id(24);
    flow.code_challenge = random.id(32);
    flow.scope = core::ScopeSet::parse("mcp").value();
    flow.resource = "http://127.0.0.1:8080/mcp";
    flow.identity = {core::IdentityKind::user_id, "anna@example.org"};
    flow.revision = 1;
    flow.created_at = now;
    flow.expires_at = now + std::chrono::hours(1);
    return flow;
}

// Writes the flows that every round starts from, and judges them, so that a round does nothing but write.
std::vector<core::Settlement> lay_in_stock(const std::string& database) {
    sys::OsRandom random;
    const auto now = sys::now();
    core::Policy policy;
    policy.issuer = "http://127.0.0.1:8080";
    const core::Keyring keyring({{core::KeyId("bench-key"), core::Secret(random.bytes(32))}});
    store::migrate(config_of(database), now);
    const auto store = store::open_store(config_of(database));
    std::vector<core::Settlement> stock;
    const auto until = now_ns() + stock_patience_ns;
    while (stock.size() < stock_size && now_ns() < until) {
        const auto flow = make_flow(random, now);
        store->put_flow(flow);
        stock.push_back(core::settle(flow, flow.identity, {core::SessionId(random.id(16)), random.secret()}, keyring, policy, now));
    }
    return stock;
}

// A fresh copy for each round, already on the disk, so that no round pays for another's writing.
std::string copy_of(const std::string& original) {
    const auto copy = original + ".round";
    for (const auto* part : {"", "-wal", "-shm"}) std::filesystem::remove(copy + part);
    std::filesystem::copy_file(original, copy);
    const int file = ::open(copy.c_str(), O_RDONLY);
    if (file < 0 || ::fsync(file) != 0) throw std::runtime_error(copy + " did not reach the disk");
    ::close(file);
    return copy;
}

// The comparison means something only while both sides say the same words.
void check_statements(const std::string& database, const core::Settlement& settlement) {
    std::vector<std::string> said;
    auto config = config_of(database);
    config.before_statement = [&](std::string_view text) { said.emplace_back(text); };
    store::open_store(config)->settle_flow(settlement);
    if (said == plain_statements()) return;
    std::string all;
    for (const auto& text : said) all += "\n  " + text;
    throw std::runtime_error("tests/bench/plain_settler.cpp no longer makes the statements of our store, which are now:" + all);
}

struct Side {
    std::vector<double> per_second, waits;

    void add(const RoundResult& result) {
        per_second.push_back(result.per_second);
        waits.insert(waits.end(), result.waits.begin(), result.waits.end());
    }
};

void print_line(int processes, const Side& ours, const Side& plain) {
    const double ratio = median(ours.per_second) / median(plain.per_second);
    const auto our_waits = waits_of(ours.waits);
    const auto plain_waits = waits_of(plain.waits);
    std::printf("  %9d %11.0f %11.0f %7.2f %-7s %8.2f %8.1f %10.2f %8.1f\n", processes, median(ours.per_second), median(plain.per_second), ratio,
                ratio >= target ? "ok" : "MISSED", our_waits.p99, our_waits.max, plain_waits.p99, plain_waits.max);
}

} // namespace

std::unique_ptr<Settler> open_settler(Kind kind, const std::string& database) {
    if (kind == Kind::plain) return open_plain_settler(database);
    return std::make_unique<OurSettler>(config_of(database));
}

int measure_settlements(const std::string& folder) {
    const auto database = folder + "/stock.db";
    const auto stock = lay_in_stock(database);
    check_statements(copy_of(database), stock.front());
    std::printf("(a) finalizing transactions per second, synchronous=FULL, one commit to this disk %.2f ms; medians of %d rounds, load %s\n",
                sync_ms(folder), rounds, load_average().c_str());
    std::printf("  %9s %11s %11s %7s %-7s %8s %8s %10s %8s\n", "processes", "ours", "plain C", "ratio", ">= 0.7", "p99 ms", "max ms", "C: p99 ms", "max ms");
    for (const int processes : {1, 4}) {
        Side ours;
        Side plain;
        for (int round = 0; round < rounds; ++round) { // by turns, so that a disturbance from outside meets both
            ours.add(run_round(Kind::ours, processes, copy_of(database), stock, round_length));
            plain.add(run_round(Kind::plain, processes, copy_of(database), stock, round_length));
        }
        print_line(processes, ours, plain);
        std::fflush(stdout);
    }
    // Shared disks are throttled now and then; a run with two different figures is to be made again.
    std::printf("  one commit to this disk afterwards: %.2f ms\n", sync_ms(folder));
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
