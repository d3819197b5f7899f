#include "consentgate/app/master.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace consentgate::app {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds young{1000}; // a worker that dies younger than this makes the next one wait
constexpr milliseconds first_pause{100};
constexpr milliseconds max_pause{5000};
constexpr milliseconds drain{10000}; // after TERM, before KILL

struct Worker {
    pid_t pid = 0; // 0: to be started at `start_at`
    Clock::time_point started, start_at;
};

class Master {
public:
    Master(const LoadPool& load, const sys::Log& log) : load_(load), log_(log) { adopt(load()); }

    int run() {
        block_signals();
        start_due();
        // Logged only now, because its reader may send signals, and look for workers.
        log_.event("started", {{"workers", std::to_string(workers_.size())}});
        for (;; start_due()) {
            switch (next_signal(until_next_start())) {
            case SIGCHLD: reap(); break;
            case SIGHUP: restart_one_by_one(); break;
            case SIGTERM:
            case SIGINT: stop_all(); return EXIT_SUCCESS;
            default: break;
            }
        }
    }

private:
    void adopt(WorkerPool pool) {
        run_worker_ = std::move(pool.run);
        on_change_ = std::move(pool.on_change);
        workers_.resize(static_cast<std::size_t>(pool.count));
    }

    void block_signals() {
        sigemptyset(&handled_);
        for (const int signal : {SIGCHLD, SIGHUP, SIGTERM, SIGINT}) sigaddset(&handled_, signal);
        sigprocmask(SIG_BLOCK, &handled_, &before_);
    }

    int next_signal(milliseconds wait) const {
        const timespec timeout{wait.count() / 1000, wait.count() % 1000 * 1'000'000};
        return sigtimedwait(&handled_, nullptr, &timeout);
    }

    milliseconds until_next_start() const {
        auto wait = milliseconds(60000);
        for (const auto& worker : workers_) {
            if (worker.pid != 0) continue;
            wait = std::min(
                wait, std::max(
                          milliseconds(1), std::chrono::duration_cast<milliseconds>(
                                               worker.start_at - Clock::now())));
        }
        return wait;
    }

    void start_due() {
        for (auto& worker : workers_) {
            if (worker.pid == 0 && worker.start_at <= Clock::now()) start(worker);
        }
    }

    void start(Worker& worker) {
        const auto parent = getpid();
        const pid_t pid = fork();
        if (pid == 0) std::exit(become_worker(parent));
        worker.started = Clock::now();
        if (pid < 0) { // no memory or no processes left: try again later
            worker.start_at = Clock::now() + max_pause;
            return;
        }
        worker.pid = pid;
        report(false);
    }

    // In the child. SIGTERM and SIGUSR1 stay blocked: the serving loop lets them in where they can
    // do no harm.
    int become_worker(pid_t parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) return EXIT_SUCCESS; // the master died before the line above
        signal(SIGINT, SIG_IGN); // Ctrl-C reaches the whole group; the master decides
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        sigset_t mask = before_;
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_SETMASK, &mask, nullptr);
        return run_worker_();
    }

    void reap() {
        int status = 0;
        for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
             pid = waitpid(-1, &status, WNOHANG)) {
            const auto dead =
                std::find_if(workers_.begin(), workers_.end(), [&](const Worker& worker) {
                    return worker.pid == pid;
                });
            if (dead == workers_.end()) continue; // a reload replaced it
            const bool died_young = Clock::now() - dead->started < young;
            pause_ = died_young ? std::clamp(pause_ * 2, first_pause, max_pause) : milliseconds(0);
            log_.event(
                "worker_died",
                {{"worker", std::to_string(pid)},
                 {"signal", WIFSIGNALED(status) ? std::to_string(WTERMSIG(status)) : "-"},
                 {"status", WIFEXITED(status) ? std::to_string(WEXITSTATUS(status)) : "-"},
                 {"restart_in_ms", std::to_string(pause_.count())}});
            dead->pid = 0;
            dead->start_at = Clock::now() + pause_;
            report(true);
        }
    }

    // A new worker starts before its predecessor is asked to end, so that the socket is always
    // served.
    void restart_one_by_one() {
        const auto before = workers_;
        try {
            adopt(load_());
        } catch (const std::exception& error) {
            log_.event("reload_failed", {{"reason", error.what()}});
            return;
        }
        for (std::size_t i = 0; i < std::max(before.size(), workers_.size()); ++i) {
            if (i < workers_.size()) start(workers_[i]);
            if (i < before.size() && before[i].pid > 0) kill(before[i].pid, SIGTERM);
        }
        log_.event("reloaded", {{"workers", std::to_string(workers_.size())}});
    }

    void stop_all() {
        for (const auto& worker : workers_) {
            if (worker.pid > 0) kill(worker.pid, SIGTERM);
        }
        const auto deadline = Clock::now() + drain;
        while (Clock::now() < deadline) {
            pid_t pid = waitpid(-1, nullptr, WNOHANG);
            if (pid < 0 && errno == ECHILD) return;
            if (pid == 0) next_signal(milliseconds(100));
            forget(pid);
        }
        for (const auto& worker : workers_) {
            if (worker.pid > 0) kill(worker.pid, SIGKILL);
        }
    }

    void forget(pid_t pid) {
        for (auto& worker : workers_) {
            if (pid > 0 && worker.pid == pid) worker.pid = 0;
        }
        if (pid > 0) report(false);
    }

    void report(bool died) const {
        const auto running = std::count_if(
            workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.pid > 0; });
        if (on_change_) on_change_({static_cast<std::size_t>(running), died});
    }

    const LoadPool& load_;
    const sys::Log& log_;
    std::function<int()> run_worker_;
    std::function<void(const WorkerStats&)> on_change_;
    std::vector<Worker> workers_;
    milliseconds pause_{0};
    sigset_t handled_{}, before_{};
};

} // namespace

int run_master(const LoadPool& load, const sys::Log& log) { return Master(load, log).run(); }

// The connections of a TCP socket inherit the timeout. It is set before there is a worker, so that
// a connection on which nothing is sent holds none. Those of a unix socket do not inherit it; there
// only the web server connects.
int inherited_socket() {
    const char* count = std::getenv("LISTEN_FDS");
    const char* owner = std::getenv("LISTEN_PID");
    const bool systemd = count != nullptr && owner != nullptr && std::string(count) == "1" &&
                         std::string(owner) == std::to_string(getpid());
    const int socket = systemd ? 3 : STDIN_FILENO;
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
        return -1;
    constexpr timeval max_silence{2, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &max_silence, sizeof max_silence);
    return socket;
}

} // namespace consentgate::app
