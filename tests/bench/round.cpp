#include "round.h"

#include "measure.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <new>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr std::int64_t length_ns = std::chrono::nanoseconds(round_length).count();

struct Sample {
    std::int64_t begin, end; // 0, 0: not finalized
};

// Memory that the processes share: the number of the next flow, and one sample for each.
class Board {
public:
    explicit Board(std::size_t size) : size_(size) {
        void* memory =
            ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::runtime_error("there is no memory to share");
        head_ = new (memory) Head{};
        samples_ = reinterpret_cast<Sample*>(head_ + 1);
    }
    ~Board() { ::munmap(head_, bytes()); }
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    std::size_t take() { return head_->next.fetch_add(1); }
    Sample& sample(std::size_t at) { return samples_[at]; }
    bool used_up() const { return head_->next.load() >= size_; }

private:
    struct alignas(64) Head { // a cache line of its own
        std::atomic<std::size_t> next{0};
    };
    std::size_t bytes() const { return sizeof(Head) + size_ * sizeof(Sample); }

    std::size_t size_;
    Head* head_ = nullptr;
    Sample* samples_ = nullptr;
};

struct Pipe {
    std::array<int, 2> end{-1, -1};
    Pipe() {
        if (::pipe(end.data()) != 0) throw std::runtime_error("no pipe");
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close(std::size_t which) {
        if (end[which] >= 0) ::close(std::exchange(end[which], -1));
    }
};

struct Round {
    const OpenFinalizer& open;
    const std::vector<core::Finalization>& stock;
    Board board;
    Pipe ready{},
        go{}; // a process writes one byte to the first, then waits for the end of the second
};

void finalize_for_a_while(Round& round) {
    round.go.close(1);
    const auto finalizer = round.open();
    char byte = 0;
    if (::write(round.ready.end[1], &byte, 1) != 1)
        throw std::runtime_error("the process that "
                                 "measures has ended");
    round.ready.close(1);
    if (::read(round.go.end[0], &byte, 1) < 0)
        throw std::runtime_error("the round was not "
                                 "started");
    const auto until = now_ns() + length_ns;
    for (auto at = round.board.take(); at < round.stock.size(); at = round.board.take()) {
        const auto begin = now_ns();
        if (begin >= until) return;
        finalizer->finalize(round.stock[at]);
        round.board.sample(at) = {begin, now_ns()};
    }
}

pid_t start_process(Round& round) {
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be started");
    if (pid > 0) return pid;
    int status = EXIT_SUCCESS;
    try {
        finalize_for_a_while(round);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench: %s\n", error.what());
        status = EXIT_FAILURE;
    }
    ::_exit(status);
}

void start_all_and_wait(Round& round, int processes) {
    std::vector<pid_t> pids;
    for (int i = 0; i < processes; ++i) pids.push_back(start_process(round));
    round.ready.close(1);
    char byte = 0;
    for (int i = 0; i < processes && ::read(round.ready.end[0], &byte, 1) == 1; ++i) {
    } // ends early when one of them died
    round.go.close(1);
    bool failed = false;
    for (const auto pid : pids) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        failed = failed || status != 0;
    }
    if (failed) throw std::runtime_error("a process of the round failed");
}

RoundResult collect(Round& round) {
    RoundResult result;
    std::vector<Sample> finalized;
    for (std::size_t at = 0; at < round.stock.size(); ++at) {
        if (round.board.sample(at).end != 0) finalized.push_back(round.board.sample(at));
    }
    if (finalized.empty()) throw std::runtime_error("nothing was finalized");
    const auto first =
        std::min_element(finalized.begin(), finalized.end(), [](const auto& a, const auto& b) {
            return a.begin < b.begin;
        })->begin;
    const auto last =
        std::max_element(finalized.begin(), finalized.end(), [](const auto& a, const auto& b) {
            return a.end < b.end;
        })->end;
    const auto until =
        round.board.used_up() ? std::min(last, first + length_ns) : first + length_ns;
    const auto in_time = std::count_if(finalized.begin(), finalized.end(), [&](const auto& sample) {
        return sample.end <= until;
    });
    result.per_second = static_cast<double>(in_time) * 1e9 / static_cast<double>(until - first);
    for (const auto& sample : finalized)
        result.waits.push_back(static_cast<double>(sample.end - sample.begin) / 1e6);
    return result;
}

} // namespace

RoundResult run_round(
    const OpenFinalizer& open, int processes, const std::vector<core::Finalization>& stock) {
    Round round{open, stock, Board(stock.size())};
    start_all_and_wait(round, processes);
    return collect(round);
}

} // namespace consentgate::bench
