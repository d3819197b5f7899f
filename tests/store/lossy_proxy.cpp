#include "lossy_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <vector>

namespace consentgate::tests {
namespace {

sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

bool pass_on(const char* data, ssize_t size, int to) {
    return send(to, data, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
}

// Between the ends of one connection. Server and client speak by turns, so one piece is one
// message.
struct Carried {
    int client, server;
    bool losing = false;
};

} // namespace

LossyProxy::LossyProxy(int server_port, int wanted) : server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    auto at = loopback(wanted);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        throw std::runtime_error("no port for the proxy");
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
}

LossyProxy::~LossyProxy() {
    ending_ = true;
    thread_.join();
    close(listener_);
}

void LossyProxy::serve() {
    std::vector<Carried> connections;
    while (!ending_) {
        std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
        for (const auto& one : connections) {
            waiting.push_back({one.client, POLLIN, 0});
            waiting.push_back({one.server, POLLIN, 0});
        }
        poll(waiting.data(), waiting.size(), 20);
        for (std::size_t i = connections.size(); i-- > 0;) {
            auto& one = connections[i];
            char piece[65536];
            bool good = true;
            if (waiting[1 + 2 * i].revents != 0) {
                const auto size = recv(one.client, piece, sizeof piece, 0);
                if (size > 0 &&
                    std::string_view(piece, static_cast<std::size_t>(size)).find("COMMIT") !=
                        std::string_view::npos)
                    one.losing = lose_.exchange(false);
                good = size > 0 && pass_on(piece, size, one.server);
            }
            if (good && waiting[2 + 2 * i].revents != 0) {
                const auto size = recv(one.server, piece, sizeof piece, 0);
                if (one.losing) ++lost_; // the server has answered, so it has committed
                good = size > 0 && !one.losing && pass_on(piece, size, one.client);
            }
            if (good) continue;
            close(one.client);
            close(one.server);
            connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if ((waiting[0].revents & POLLIN) == 0) continue;
        Carried fresh{accept(listener_, nullptr, nullptr), socket(AF_INET, SOCK_STREAM, 0)};
        const auto at = loopback(server_port_);
        if (connect(fresh.server, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0)
            connections.push_back(fresh);
    }
    for (const auto& one : connections) {
        close(one.client);
        close(one.server);
    }
}

} // namespace consentgate::tests
