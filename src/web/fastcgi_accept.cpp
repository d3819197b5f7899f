#include "fastcgi_accept.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace consentgate::web {
namespace {

using Clock = std::chrono::steady_clock;

// A peer that went away, or a worker that was quicker; the socket itself is well.
constexpr std::array passing_errors{EAGAIN, EWOULDBLOCK,  EINTR,       ECONNABORTED,
                                    EPROTO, ENETDOWN,     ENOPROTOOPT, EHOSTDOWN,
                                    ENONET, EHOSTUNREACH, ENETUNREACH};

int milliseconds_until(Clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

// in: wait  for so many milliseconds; a signal in between ends no wait of ours
template <class Wait> int in_time(Clock::time_point end, const Wait& wait) {
    for (;;) {
        const int ready = wait(milliseconds_until(end));
        if (ready >= 0 || errno != EINTR) return ready;
    }
}

// Wakes when more has come: what is there already would wake poll at once, and is not taken out.
class MoreBytes {
public:
    MoreBytes(int epoll, int connection) : epoll_(epoll), connection_(connection) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection_, &event) != 0) connection_ = -1;
    }
    ~MoreBytes() {
        if (connection_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection_, nullptr);
    }
    MoreBytes(const MoreBytes&) = delete;
    MoreBytes& operator=(const MoreBytes&) = delete;

    // out: whether more came before the end
    bool wait(Clock::time_point end) {
        epoll_event event{};
        const int ready =
            in_time(end, [&](int time) { return ::epoll_wait(epoll_, &event, 1, time); });
        if (ready == 1 && (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) closing_ = true;
        return ready == 1 && Clock::now() < end;
    }
    bool closing() const { return closing_; }

private:
    int epoll_;
    int connection_;
    bool closing_ = false;
};

bool in_list(const std::string& list, const std::string& one) {
    return ("," + list + ",").find("," + one + ",") != std::string::npos;
}

bool may_connect(const sockaddr_storage& peer, const std::string& neighbours) {
    if (peer.ss_family != AF_INET || neighbours.empty()) return true;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto& address = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
    return ::inet_ntop(AF_INET, &address, text.data(), text.size()) != nullptr &&
           in_list(neighbours, text.data());
}

} // namespace

Doorway::Doorway(int listening_socket, std::string neighbours)
    : socket_(listening_socket),
      more_(::epoll_create1(EPOLL_CLOEXEC)),
      neighbours_(std::move(neighbours)),
      seen_(max_fastcgi_head) {
    if (more_ < 0) throw std::runtime_error("connections cannot be waited for");
}

Doorway::~Doorway() { ::close(more_); }

Head Doorway::look(int connection) {
    const auto got = ::recv(connection, seen_.data(), seen_.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Head::incomplete;
    if (got <= 0) return Head::refused;
    return look_at_head({seen_.data(), static_cast<std::size_t>(got)});
}

// Most web servers write a head in one piece, which is there by now: it costs one look, and no
// wait.
bool Doorway::head_came(int connection) {
    auto head = look(connection);
    if (head != Head::incomplete) return head == Head::whole;
    const auto end = Clock::now() + head_time;
    for (MoreBytes more(more_, connection); head == Head::incomplete && !more.closing();) {
        if (!more.wait(end)) return false;
        head = look(connection);
    }
    return head == Head::whole;
}

int Doorway::accept() {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int connection =
        ::accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
    if (connection < 0) {
        if (std::find(passing_errors.begin(), passing_errors.end(), errno) == passing_errors.end())
            throw std::runtime_error("the listening socket cannot be accepted from");
        return -1;
    }
    // An answer has no answer to wait for.
    const int at_once = 1;
    if (peer.ss_family != AF_UNIX)
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    if (may_connect(peer, neighbours_) && head_came(connection)) return connection;
    ::close(connection);
    return -1;
}

} // namespace consentgate::web
