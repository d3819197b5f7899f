#include "processes.h"

#include <unistd.h>

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace consentgate::sys {
namespace {

// spec: proc(5), /proc/pid/stat, field 22
std::uint64_t start_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text, '\0');
    // The name of the program is the second field, and may hold blanks and parentheses.
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int at = 3; at <= 22; ++at) fields >> field;
    std::uint64_t ticks = 0;
    std::istringstream(field) >> ticks;
    return ticks;
}

} // namespace

Process this_process() {
    static Process known;
    if (const auto pid = ::getpid(); known.pid != pid) known = {pid, start_of(pid)};
    return known;
}

bool is_alive(const Process& process) {
    if (process.pid == 0) return false;
    // Another user's process cannot be one of ours.
    if (::kill(process.pid, 0) != 0) return false;
    const auto started = start_of(process.pid);
    return started == 0 || process.started == 0 || started == process.started;
}

} // namespace consentgate::sys
