// For commands that run for a while: progress on stderr, and stopping between two batches. Private
// to this module.
#pragma once

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

namespace consentgate::app::admin {

// INT and TERM ask for a stop between two batches; a second one stops at once. Either way the same
// command can go on later.
class StopSignals {
public:
    StopSignals() {
        struct sigaction action {};
        action.sa_handler = [](int) { asked_ = 1; };
        action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
        for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
    }
    void check(const std::string& then) const {
        if (asked_ != 0) throw std::runtime_error("stopped; " + then);
    }

private:
    static inline volatile std::sig_atomic_t asked_ = 0;
};

// Progress on stderr: every second in one line of a terminal, otherwise a line every ten seconds.
class Progress {
public:
    explicit Progress(std::string doing, std::optional<std::uint64_t> total = {})
        : doing_(std::move(doing)), next_(Clock::now() + every()) {
        if (total) of_ = " of " + std::to_string(*total);
    }
    ~Progress() {
        if (shown_) std::cerr << "\r\033[K" << std::flush;
    }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void at(std::uint64_t rows, const std::string& where) {
        if (Clock::now() < next_) return;
        next_ = Clock::now() + every();
        shown_ = on_terminal_;
        const auto text = doing_ + " " + std::to_string(rows) + of_ + " rows (" + where + ")";
        std::cerr << (on_terminal_ ? "\r" + text + "\033[K" : text + "\n") << std::flush;
    }

private:
    using Clock = std::chrono::steady_clock;
    std::chrono::seconds every() const { return std::chrono::seconds(on_terminal_ ? 1 : 10); }

    const bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
    std::string doing_, of_;
    Clock::time_point next_;
    bool shown_ = false;
};

} // namespace consentgate::app::admin
