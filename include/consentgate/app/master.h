// The prefork master: keeps a number of workers on one listening socket.
//
// A worker that dies is replaced, at once or with growing pauses when workers die young. HUP loads
// the configuration again and replaces the workers one after another, so that no request fails.
// TERM and INT let the workers finish their requests, then end. Workers end when their master does.
#pragma once

#include "consentgate/sys/log.h"

#include <cstddef>
#include <functional>

namespace consentgate::app {

struct WorkerStats {
    std::size_t running;
    bool died; // one of them, without being asked to end
};

// The workers of one configuration.
struct WorkerPool {
    int count;
    std::function<int()> run; // a worker's life after the fork; its exit status
    // Called in the master each time a worker starts or ends; must be quick; may be empty.
    std::function<void(const WorkerStats&)> on_change{};
};

// Loads the configuration for the next workers; called at start and at each HUP.
// fail: throws; at HUP the workers of before go on
using LoadPool = std::function<WorkerPool()>;

// out:  exit status of the master
// fail: throws the first load's error
int run_master(const LoadPool& load, const sys::Log& log);

// The listening socket that spawn-fcgi (descriptor 0) or systemd (LISTEN_FDS, descriptor 3) left
// us; -1 when there is none.
int inherited_socket();

} // namespace consentgate::app
