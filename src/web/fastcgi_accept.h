// Connections of web servers, taken from the listening socket with their heads there already.
// Private to this module.
#pragma once

#include "fastcgi_head.h"

#include <chrono>
#include <string>
#include <vector>

namespace consentgate::web {

// How long a head may take to come, however slowly: a web server writes it at once. Meanwhile it
// holds a worker, and whoever can connect could hold them all.
inline constexpr std::chrono::milliseconds head_time{2000};

// spec: docs/requirements.md XD5
class Doorway {
public:
    // in: listening_socket  does not block
    //     neighbours        IPv4 addresses that may connect over TCP, with commas between them;
    //                       empty: any
    // fail: throws std::runtime_error when the system has no descriptor left
    Doorway(int listening_socket, std::string neighbours);
    ~Doorway();
    Doorway(const Doorway&) = delete;
    Doorway& operator=(const Doorway&) = delete;

    // out: a connection whose head is whole, for the caller to close; negative: there was none to
    //      take, or it was hung up on
    // fail: throws std::runtime_error when the socket cannot be accepted from
    int accept();

private:
    Head look(int connection);
    bool head_came(int connection);

    int socket_;
    int more_; // an epoll that waits for the rest of one head
    std::string neighbours_;
    std::vector<char> seen_; // of one head; kept, because a worker needs it for each request
};

} // namespace consentgate::web
