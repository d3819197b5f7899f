// The prefork master: keeps N workers on one listening socket.
//
// A worker that dies is replaced, at once or with growing pauses when workers die young. HUP reads
// the configuration again and replaces the workers one after another, so that no request fails.
// TERM and INT let the workers finish what they have in hand, then end. Workers end when their
// master does.
#pragma once

#include "consentgate/sys/log.h"

#include <cstddef>
#include <functional>

namespace consentgate::app {

// What a worker does from fork to exit; its exit status.
using Work = std::function<int()>;

// What the master sees of its workers, each time that changes.
struct WorkerStats {
    std::size_t running;
    bool died; // one of them, and was not told to
};

struct Plan {
    int workers;
    Work work;
    std::function<void(const WorkerStats&)> on_change{}; // must be quick; may be empty
};

// Prepares the next workers; called at start and at each HUP. fail: throws; at HUP the old plan
// goes on
using Prepare = std::function<Plan()>;

// out:  exit status of the master
// fail: throws what the first prepare throws
int run_master(const Prepare& prepare, const sys::Log& log);

// The listening socket that spawn-fcgi (descriptor 0) or systemd (LISTEN_FDS, descriptor 3) left
// us; -1 when there is none.
int inherited_socket();

} // namespace consentgate::app
