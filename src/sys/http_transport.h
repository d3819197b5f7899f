// One connection: resolving, connecting, TLS trust, and a deadline that ends it in any phase.
// Private to this module.
#pragma once

#include "consentgate/sys/http_client.h" // Resolver

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace consentgate::sys {

using Deadline = std::chrono::steady_clock::time_point;

// Returns the time that is left. fail: throws std::runtime_error when the deadline has passed
Poco::Timespan until(Deadline deadline);

// Ends a connection at the deadline, in whatever phase it is: a peer that sends one byte now and
// then never exceeds the timeout of a single read.
class Watchdog {
public:
    Watchdog(int socket, Deadline deadline);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    std::mutex mutex_;
    std::condition_variable done_;
    bool finished_ = false;
    std::thread thread_;
};

// HTTP over the one connection whose address was checked. Poco would otherwise connect again by the
// host's name, and a DNS rebinding attack needs exactly that second resolution. Uses no proxy.
class OneConnection final : public Poco::Net::HTTPClientSession {
public:
    explicit OneConnection(const Poco::Net::StreamSocket& socket);

protected:
    void connect(const Poco::Net::SocketAddress&) override;
    bool mustReconnect() const override { return false; }
};

// How many lookups are running, including those abandoned because the resolver hangs; shared with
// their threads.
using Lookups = std::shared_ptr<std::atomic<int>>;

struct NameNotResolved : std::runtime_error {
    using std::runtime_error::runtime_error;
};
// A rule of ours forbids the request.
struct NotAsked : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Returns the addresses of a host, each in its 4 or 16 bytes; at least one.
// fail: throws NameNotResolved when there are none, std::runtime_error when there are none in time
std::vector<std::string> resolve_in_time(
    const Resolver& resolver, const std::string& host, const Lookups& lookups, Deadline deadline);

// Connects to the address that answers first. Tries six at most, of both families in turn, each
// 250 ms after the one before. spec: RFC 8305
// fail: throws Poco::Exception, std::runtime_error
Poco::Net::StreamSocket connect_to_one(
    const std::vector<std::string>& addresses, int port, Deadline deadline);

// Verified TLS. in: ca_file  PEM file of authorities besides the system's; empty: none
Poco::Net::Context::Ptr make_context(const std::string& ca_file);

// TLS over the connection. fail: throws TlsFailure, Poco::Exception
struct TlsFailure : std::runtime_error {
    TlsFailure(core::FailureCause of, const std::string& words)
        : std::runtime_error(words), cause(of) {}
    core::FailureCause cause;
};
Poco::Net::StreamSocket secure(
    const Poco::Net::StreamSocket& socket, const std::string& host,
    const Poco::Net::Context::Ptr& context);

} // namespace consentgate::sys
