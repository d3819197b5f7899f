// Small things that every measurement here needs: a clock, order statistics, and what /proc says of
// a process.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace consentgate::bench {

std::int64_t now_ns(); // monotonic; the same for all processes

// Order statistics of the given values; 0 of none. Nearest rank, so the answer is always a value
// that occurred.
double percentile(std::vector<double> values, double percent);
inline double median(std::vector<double> values) { return percentile(std::move(values), 50); }

// The median of how many times each value is its neighbour in time: what comes over the machine
// from outside meets both, and cancels itself out.
double median_ratio(const std::vector<double>& values, const std::vector<double>& neighbours);

struct Waits { // of single operations, in milliseconds
    double p50 = 0, p99 = 0, max = 0;
};
Waits waits_of(const std::vector<double>& milliseconds);

// How many rounds a part takes: as many as it needs, or ROUNDS= of the environment, with which a
// test sees in little time that all of it runs.
int rounds_of(int needed);
// How many sessions it makes to call with in turn; with ROUNDS= a few.
std::size_t sessions_of(std::size_t needed);

// User and system time that a process has used so far, in milliseconds. fail: throws when there is
// no such process
double cpu_ms(pid_t pid);
double cpu_ms(const std::vector<pid_t>& pids); // of all of them together
double own_cpu_ms();

std::vector<pid_t> children_of(pid_t parent);

struct Memory {              // in MiB
    double resident = 0;     // VmRSS: everything mapped and present, shared pages counted in full
    double proportional = 0; // Pss: shared pages divided among those who share them
};
Memory memory_of(pid_t pid);

std::string load_average(); // of the last minute, as the kernel writes it

// One small write that reaches the disk, as a commit makes it; the median of a few, in
// milliseconds.
double sync_ms(const std::string& folder);

} // namespace consentgate::bench
