// Work in processes of their own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

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

} // namespace consentgate::tests
