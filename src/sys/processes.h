// Which process is which, for memory that outlives one. Private to this module.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace consentgate::sys {

// A process id alone may belong to another process later; together with the time of its start it
// belongs to one.
struct Process {
    pid_t pid = 0;             // 0: none
    std::uint64_t started = 0; // in clock ticks since the boot; 0: not known

    bool operator==(const Process&) const = default;
};

Process this_process();
bool is_alive(const Process& process);

} // namespace consentgate::sys
