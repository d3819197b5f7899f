// Work in processes of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <vector>

namespace consentgate::tests {

// Starts `work`, whose answer becomes the exit status, or 99 when it throws: a child that threw any
// further would run the rest of the tests, and stop the servers of its parent.
template <class Work> pid_t start_child(Work work) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    try {
        _exit(work());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "in a child of a test: %s\n", error.what());
    } catch (...) {
        std::fprintf(stderr, "a child of a test failed\n");
    }
    _exit(99);
}

// Waits for its end; its exit status, or -1 when it was killed.
inline int end_of(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <class Work> int in_child(Work work) { return end_of(start_child(work)); }

// Work that goes on beside the case, in a process of its own: a store, its drivers and the guard of
// its connections are made for one thread.
class Beside {
public:
    // in: work  gets a function by which it signals to the case that it is so far
    explicit Beside(const std::function<void(std::function<void()>)>& work) {
        if (pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
        pid_ = start_child([&] {
            work([this] {
                if (write(ends_[1], "", 1) != 1) _exit(1);
            });
            return 0;
        });
        close(ends_[1]);
    }
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;
    ~Beside() {
        if (pid_ > 0) end();
    }

    // Waits for its first signal. out: false: it ended before
    bool has_begun() {
        char byte = 0;
        const bool signalled = read(ends_[0], &byte, 1) == 1;
        signals_ += signalled ? 1 : 0;
        return signalled;
    }
    // Waits for its end. out: how often it signalled; -1: it failed
    int end() {
        while (has_begun()) {}
        close(ends_[0]);
        const int status = end_of(pid_);
        pid_ = 0;
        return status == 0 ? signals_ : -1;
    }

private:
    std::array<int, 2> ends_{};
    pid_t pid_ = 0;
    int signals_ = 0;
};

// Counts the attempts that several processes made at the same things.
struct Race {
    int attempts = 0, won = 0, failed_processes = 0;
};

// in: work  of the child of that number; tells of each attempt whether it won
inline Race race(int processes, const std::function<void(int, std::function<void(bool)>)>& work) {
    std::array<int, 2> results{};
    if (pipe(results.data()) != 0) throw std::runtime_error("no pipe");
    const auto tell = [&](bool won) {
        const char byte = won ? 1 : 0;
        if (write(results[1], &byte, 1) != 1) _exit(1);
    };
    std::vector<pid_t> children;
    for (int child = 0; child < processes; ++child)
        children.push_back(start_child([&] {
            work(child, tell);
            return 0;
        }));
    Race seen;
    for (const pid_t pid : children) seen.failed_processes += end_of(pid) == 0 ? 0 : 1;
    close(results[1]);
    for (char won = 0; read(results[0], &won, 1) == 1; ++seen.attempts) seen.won += won;
    close(results[0]);
    return seen;
}

} // namespace consentgate::tests
