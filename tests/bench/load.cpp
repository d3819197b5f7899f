#include "load.h"

#include "measure.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace consentgate::bench {
namespace {

struct Shared {
    std::size_t limit;
    std::int64_t until;
    std::atomic<std::size_t> begun{0};
    std::atomic<bool> failed{false};
    std::mutex mutex{};
    std::vector<double> waits{};
    std::exception_ptr failure{};

    bool another() { return !failed && now_ns() < until && begun.fetch_add(1) < limit; }
};

void travel_on(Shared& shared, Traveller& traveller) {
    std::vector<double> waits;
    try {
        while (shared.another()) {
            traveller.prepare();
            const auto begin = now_ns();
            traveller.travel();
            waits.push_back(static_cast<double>(now_ns() - begin) / 1e6);
        }
    } catch (...) {
        const std::lock_guard lock(shared.mutex);
        if (!shared.failed.exchange(true)) shared.failure = std::current_exception();
    }
    const std::lock_guard lock(shared.mutex);
    shared.waits.insert(shared.waits.end(), waits.begin(), waits.end());
}

} // namespace

LoadResult run_load(
    const Load& load, const std::function<std::unique_ptr<Traveller>()>& make_traveller) {
    const auto begin = now_ns();
    Shared shared{load.limit, begin + load.max_bytes.count()};
    std::vector<std::unique_ptr<Traveller>> travellers;
    std::vector<std::thread> threads;
    for (int i = 0; i < load.concurrent; ++i) travellers.push_back(make_traveller());
    for (auto& traveller : travellers)
        threads.emplace_back([&shared, &traveller] { travel_on(shared, *traveller); });
    for (auto& thread : threads) thread.join();
    if (shared.failure) std::rethrow_exception(shared.failure);
    return {static_cast<double>(now_ns() - begin) / 1e9, std::move(shared.waits)};
}

} // namespace consentgate::bench
