#include "stall_guard.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <csignal>

namespace consentgate::store {
namespace {

constexpr int highest_descriptor = 1024; // far above what a worker or a tool opens

std::atomic<int> guarded{-1};
static_assert(std::atomic<int>::is_always_lock_free, "it is read in a signal handler");

void shut_down(int) { ::shutdown(guarded.load(), SHUT_RDWR); }

bool is_socket(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool leads_to(int descriptor, const std::vector<Host>& hosts) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
    if (peer.ss_family == AF_UNIX) return true;
    const auto port = peer.ss_family == AF_INET6
                          ? reinterpret_cast<const sockaddr_in6&>(peer).sin6_port
                          : reinterpret_cast<const sockaddr_in&>(peer).sin_port;
    return std::any_of(
        hosts.begin(), hosts.end(), [&](const Host& host) { return host.port == ntohs(port); });
}

void set_timer(std::chrono::milliseconds time) {
    itimerval timer{};
    timer.it_value.tv_sec = static_cast<time_t>(time.count() / 1000);
    timer.it_value.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

} // namespace

StallGuard::StallGuard() {
    for (int descriptor = 0; descriptor < highest_descriptor; ++descriptor) {
        if (is_socket(descriptor)) before_.push_back(descriptor);
    }
}

void StallGuard::find_socket(const std::vector<Host>& hosts) {
    for (int descriptor = 0; descriptor < highest_descriptor; ++descriptor) {
        const bool known = std::find(before_.begin(), before_.end(), descriptor) != before_.end();
        if (!known && is_socket(descriptor) && leads_to(descriptor, hosts)) socket_ = descriptor;
    }
    struct sigaction action {};
    action.sa_handler = shut_down;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGALRM, &action, nullptr);
}

StallGuard::Watch::Watch(const std::optional<StallGuard>& guard, std::chrono::milliseconds time) {
    if (!guard || guard->socket_ < 0 || guarded >= 0) return;
    first_ = true;
    guarded = guard->socket_;
    set_timer(time);
}

StallGuard::Watch::~Watch() {
    if (!first_) return;
    set_timer(std::chrono::milliseconds(0));
    guarded = -1;
}

} // namespace consentgate::store
