// Ends the connection to a server that stopped answering; private to this module.
//
// PostgreSQL's driver waits for an answer without limit: for a frozen server, and for the commit of
// a primary whose synchronous standby is gone, which no server-side limit ends. A request must not
// wait as long. The guard limits the time of one unit of work and then shuts the session's socket
// down, and the driver reports a lost connection.
#pragma once

#include "consentgate/store/open.h"

#include <chrono>
#include <optional>
#include <vector>

namespace consentgate::store {

class StallGuard {
public:
    // Make it before the session is opened, so that it can tell the session's socket from earlier
    // ones.
    StallGuard();

    // Call it when the session to one of the hosts is open; new sockets that lead elsewhere are not
    // the session's.
    void find_socket(const std::vector<Host>& hosts);

    // Limits one unit of work, from the making of a Watch to its end. A process has one at a time,
    // and a unit of work within another shares the other's time. It uses SIGALRM.
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
    std::vector<int> before_; // sockets that were open before the session
    int socket_ = -1;
};

} // namespace consentgate::store
