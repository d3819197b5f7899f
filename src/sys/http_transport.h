// One connection, made here and watched to its deadline: what the fetcher of strangers' documents
// and the caller of services have in common. Private to this module.
#pragma once

#include "consentgate/sys/document_fetcher.h" // Resolver

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace consentgate::sys {

using Deadline = std::chrono::steady_clock::time_point;

// What is left. fail: throws std::runtime_error when that is nothing
Poco::Timespan until(Deadline deadline);

// Ends a connection at the deadline, in whatever phase it is: a peer that sends a byte now and then
// would never meet a timeout of a single read.
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

// HTTP over the one connection that was judged. Poco would connect again by the host's name where
// it thinks it must, and a second resolution is what a rebinding name waits for. No proxy is asked.
class OneConnection final : public Poco::Net::HTTPClientSession {
public:
    explicit OneConnection(const Poco::Net::StreamSocket& socket);

protected:
    void connect(const Poco::Net::SocketAddress&) override;
    bool mustReconnect() const override { return false; }
};

// How many lookups were left behind by a resolver that hangs; shared with their threads.
using Lookups = std::shared_ptr<std::atomic<int>>;

// The addresses of a host, each in its 4 or 16 bytes; at least one.
// fail: throws std::runtime_error when there are none, or not in time
std::vector<std::string> resolve_in_time(
    const Resolver& resolver, const std::string& host, const Lookups& lookups, Deadline deadline);

// To the first of the addresses that answers; the first three are tried. fail: throws
// Poco::Exception, std::runtime_error
Poco::Net::StreamSocket connect_to_one(
    const std::vector<std::string>& addresses, int port, Deadline deadline);

// Verified TLS. in: ca_file  PEM file of authorities besides the system's; empty: none
Poco::Net::Context::Ptr make_context(const std::string& ca_file);

} // namespace consentgate::sys
