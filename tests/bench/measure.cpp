#include "measure.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace consentgate::bench {
namespace {

std::string read_text(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error(path + " cannot be read");
    return text.str();
}

// The text after the program's name in /proc/PID/stat; the name may hold blanks and parentheses.
std::istringstream stat_after_name(pid_t pid) {
    const auto text = read_text("/proc/" + std::to_string(pid) + "/stat");
    return std::istringstream(text.substr(text.rfind(')') + 1));
}

// The number after `Name:` in a file of such lines, which count in KiB.
double mebibytes(const std::string& text, const std::string& name) {
    const auto at = text.find("\n" + name + ":");
    if (at == std::string::npos) throw std::runtime_error("the kernel does not tell " + name);
    return std::stod(text.substr(at + name.size() + 2)) / 1024;
}

} // namespace

std::int64_t now_ns() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

double percentile(std::vector<double> values, double percent) {
    if (values.empty()) return 0;
    const auto rank =
        static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(values.size())));
    const auto wanted = values.begin() + static_cast<std::ptrdiff_t>(
                                             std::clamp<std::size_t>(rank, 1, values.size()) - 1);
    std::nth_element(values.begin(), wanted, values.end());
    return *wanted;
}

double median_ratio(const std::vector<double>& values, const std::vector<double>& neighbours) {
    std::vector<double> ratios;
    for (std::size_t at = 0; at < values.size(); ++at)
        ratios.push_back(values[at] / neighbours.at(at));
    return median(std::move(ratios));
}

Waits waits_of(const std::vector<double>& milliseconds) {
    return {
        percentile(milliseconds, 50), percentile(milliseconds, 99), percentile(milliseconds, 100)};
}

int rounds_of(int needed) {
    const char* fewer = std::getenv("ROUNDS");
    return fewer == nullptr ? needed : std::max(1, std::atoi(fewer));
}

std::size_t sessions_of(std::size_t needed) {
    return std::getenv("ROUNDS") == nullptr ? needed : 50;
}

double cpu_ms(pid_t pid) {
    auto fields = stat_after_name(pid);
    std::string skipped;
    for (int field = 3; field < 14; ++field)
        fields >> skipped; // utime and stime are fields 14 and 15
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return static_cast<double>(user + system) * 1000 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double cpu_ms(const std::vector<pid_t>& pids) {
    double sum = 0;
    for (const auto pid : pids) sum += cpu_ms(pid);
    return sum;
}

double own_cpu_ms() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        try {
            auto fields = stat_after_name(std::stoi(name));
            std::string state;
            pid_t its_parent = 0;
            if (fields >> state >> its_parent && its_parent == parent)
                children.push_back(std::stoi(name));
        } catch (const std::runtime_error&) { // it ended while we looked
        }
    }
    return children;
}

Memory memory_of(pid_t pid) {
    const auto folder = "/proc/" + std::to_string(pid);
    return {
        mebibytes(read_text(folder + "/status"), "VmRSS"),
        mebibytes(read_text(folder + "/smaps_rollup"), "Pss")};
}

std::string load_average() {
    const auto text = read_text("/proc/loadavg");
    return text.substr(0, text.find(' '));
}

double sync_ms(const std::string& folder) {
    const auto path = folder + "/sync";
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    if (file < 0) throw std::runtime_error(path + " cannot be made");
    const std::string page(4096, 'x');
    std::vector<double> times;
    for (int i = 0; i < 101; ++i) {
        const auto begin = now_ns();
        if (::pwrite(file, page.data(), page.size(), 0) < 0 || ::fdatasync(file) != 0)
            throw std::runtime_error(path + " cannot be written");
        times.push_back(static_cast<double>(now_ns() - begin) / 1e6);
    }
    ::close(file);
    ::unlink(path.c_str());
    return median(times);
}

} // namespace consentgate::bench
