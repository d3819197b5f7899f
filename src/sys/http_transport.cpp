#include "http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Steady = std::chrono::steady_clock;

constexpr int max_lookups = 4; // of one client at a time; a hanging resolver abandons them
constexpr std::size_t max_addresses = 3;

net::SocketAddress socket_address(const std::string& address, int port) {
    return {
        net::IPAddress(address.data(), static_cast<poco_socklen_t>(address.size())),
        static_cast<Poco::UInt16>(port)};
}

} // namespace

Poco::Timespan until(Deadline deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - Steady::now());
    if (left.count() <= 0) throw std::runtime_error("out of time");
    return Poco::Timespan(static_cast<Poco::Timespan::TimeDiff>(left.count()));
}

Watchdog::Watchdog(int socket, Deadline deadline)
    : thread_([this, socket, deadline] {
          std::unique_lock lock(mutex_);
          if (!done_.wait_until(lock, deadline, [this] { return finished_; }))
              ::shutdown(socket, SHUT_RDWR);
      }) {}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    done_.notify_one();
    thread_.join();
}

OneConnection::OneConnection(const net::StreamSocket& socket) : net::HTTPClientSession(socket) {
    setKeepAlive(true); // without it, Poco begins by reconnecting
}

void OneConnection::connect(const net::SocketAddress&) {
    throw net::NetException("a second connection is not allowed");
}

std::vector<std::string> resolve_in_time(
    const Resolver& resolver, const std::string& host, const Lookups& lookups, Deadline deadline) {
    struct Answer {
        std::mutex mutex;
        std::condition_variable came;
        bool there = false;
        std::vector<std::string> addresses;
    };
    // Counts this lookup until its thread has ended.
    const std::shared_ptr<void> counted(nullptr, [lookups](void*) { --*lookups; });
    if (++*lookups > max_lookups)
        throw std::runtime_error("the resolver has not answered earlier lookups");
    const auto answer = std::make_shared<Answer>();
    std::thread([answer, counted, resolver, host] {
        std::vector<std::string> found;
        try {
            found = resolver(host);
        } catch (...) { // leaves `found` empty
        }
        const std::lock_guard lock(answer->mutex);
        answer->addresses = std::move(found);
        answer->there = true;
        answer->came.notify_one();
    }).detach();
    std::unique_lock lock(answer->mutex);
    if (!answer->came.wait_until(lock, deadline, [&] { return answer->there; }))
        throw std::runtime_error("the name was not resolved in time");
    if (answer->addresses.empty()) throw std::runtime_error("the name has no address");
    return answer->addresses;
}

net::StreamSocket connect_to_one(
    const std::vector<std::string>& addresses, int port, Deadline deadline) {
    for (std::size_t i = 0;; ++i) {
        try {
            net::StreamSocket socket;
            socket.connect(socket_address(addresses[i], port), until(deadline));
            return socket;
        } catch (const Poco::Exception&) {
            if (i + 1 >= std::min(addresses.size(), max_addresses)) throw;
        }
    }
}

net::Context::Ptr make_context(const std::string& ca_file) {
    net::Context::Params params;
    params.caLocation = ca_file;
    params.verificationMode =
        net::Context::VERIFY_STRICT; // the weaker modes accept any certificate of localhost
    params.verificationDepth = 9;
    params.loadDefaultCAs = true;
    net::Context::Ptr context(new net::Context(net::Context::TLS_CLIENT_USE, params));
    context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
    context->enableExtendedCertificateVerification(true);
    return context;
}

std::vector<std::string> resolve_by_system(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
    std::vector<std::string> addresses;
    for (const auto* one = list; one != nullptr; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            const auto& bytes = reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr;
            addresses.emplace_back(reinterpret_cast<const char*>(&bytes), sizeof bytes);
        } else if (one->ai_family == AF_INET6) {
            const auto& bytes = reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr;
            addresses.emplace_back(reinterpret_cast<const char*>(&bytes), sizeof bytes);
        }
    }
    ::freeaddrinfo(list);
    return addresses;
}

} // namespace consentgate::sys
