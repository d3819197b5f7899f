// Work in processes of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <vector>

namespace consentgate::tests {

// Starts `work`, whose answer becomes the exit status.
template <class Work> pid_t start_child(Work work) {
    const pid_t pid = fork();
    if (pid == 0) _exit(work());
    return pid;
}

// Waits for its end; its exit status, or -1 when it was killed.
inline int end_of(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <class Work> int in_child(Work work) { return end_of(start_child(work)); }

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
