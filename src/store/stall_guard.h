// Ends the connection to a server that stopped answering; private to this module.
//
// PostgreSQL's driver waits for an answer for ever: for a server that is frozen, and for the commit
// of a primary whose synchronous standby is gone, which no server-side limit ends. A request must
// not wait as long. The guard keeps the time of one unit of work and then shuts the session's
// socket down, whereupon the driver reports a lost connection.
#pragma once

#include "consentgate/store/open.h"

#include <chrono>
#include <optional>
#include <vector>

namespace consentgate::store {

class StallGuard {
public:
    // Made before the session is opened, so that it can tell the session's socket from those there
    // were.
    StallGuard();

    // To be called when the session is open, to one of the hosts; other new sockets are not the
    // session's.
    void find_socket(const std::vector<Host>& hosts);

    // The time of one unit of work, from the making of a Watch to its end. One at a time in a
    // process; a unit of work within another is within its time. It uses SIGALRM.
    class Watch {
    public:
        Watch(const std::optional<StallGuard>& guard, std::chrono::milliseconds time);
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

    private:
        bool first_ = false;
    };

private:
    std::vector<int> before_; // sockets that were there
    int socket_ = -1;
};

} // namespace consentgate::store
