#include "consentgate/sys/document_fetcher.h"

#include "consentgate/core/address.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int most_lookups = 4;   // of one worker that were left behind by a resolver that hangs
constexpr std::size_t most_addresses = 3;

Poco::Timespan until(Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now());
    if (left.count() <= 0) throw std::runtime_error("out of time");
    return Poco::Timespan(static_cast<Poco::Timespan::TimeDiff>(left.count()));
}

// Ends a connection at the deadline, in whatever phase it is: a peer that sends a byte now and then would never meet a
// timeout of a single read.
class Watchdog {
public:
    Watchdog(int socket, Clock::time_point deadline) : thread_([this, socket, deadline] {
        std::unique_lock lock(mutex_);
        if (!done_.wait_until(lock, deadline, [this] { return finished_; })) ::shutdown(socket, SHUT_RDWR);
    }) {}
    ~Watchdog() {
        {
            const std::lock_guard lock(mutex_);
            finished_ = true;
        }
        done_.notify_one();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    std::mutex mutex_;
    std::condition_variable done_;
    bool finished_ = false;
    std::thread thread_;
};

// HTTP over the one connection that was judged. Poco would connect again by the host's name where it thinks it must, and a
// second resolution is what a rebinding name waits for.
class OneConnection final : public net::HTTPClientSession {
public:
    explicit OneConnection(const net::StreamSocket& socket) : net::HTTPClientSession(socket) { setKeepAlive(true); } // else it would begin by reconnecting

protected:
    void connect(const net::SocketAddress&) override { throw net::NetException("a second connection is not allowed"); }
    bool mustReconnect() const override { return false; }
};

core::DocumentAnswer ask(const net::StreamSocket& socket, const core::DocumentUrl& url, Poco::Timespan time) {
    OneConnection session(socket);
    session.setTimeout(time);
    net::HTTPRequest request(net::HTTPRequest::HTTP_GET, url.target, net::HTTPMessage::HTTP_1_1);
    request.set("Host", url.authority());
    request.set("Accept", "application/json");
    request.set("User-Agent", "consentgate");
    request.set("Connection", "close");
    session.sendRequest(request);
    net::HTTPResponse response;
    auto& body = session.receiveResponse(response);
    core::DocumentAnswer answer{static_cast<int>(response.getStatus()), response.get("Content-Type", ""), {}, false,
                                {response.get("Cache-Control", ""), response.get("Age", ""), response.get("Expires", "")}};
    if (answer.status != 200) return answer;
    answer.body.resize(core::longest_document + 1);
    body.read(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
    answer.body.resize(static_cast<std::size_t>(body.gcount()));
    answer.too_large = answer.body.size() > core::longest_document;
    return answer;
}

net::SocketAddress socket_address(const std::string& address, int port) {
    return {net::IPAddress(address.data(), static_cast<poco_socklen_t>(address.size())), static_cast<Poco::UInt16>(port)};
}

net::StreamSocket connect_to_one(const std::vector<std::string>& addresses, int port, Clock::time_point deadline) {
    for (std::size_t i = 0;; ++i) {
        try {
            net::StreamSocket socket;
            socket.connect(socket_address(addresses[i], port), until(deadline));
            return socket;
        } catch (const Poco::Exception&) {
            if (i + 1 >= std::min(addresses.size(), most_addresses)) throw;
        }
    }
}

net::Context::Ptr make_context(const std::string& ca_file) {
    net::Context::Params params;
    params.caLocation = ca_file;
    params.verificationMode = net::Context::VERIFY_STRICT; // the milder ones take any certificate of localhost
    params.verificationDepth = 9;
    params.loadDefaultCAs = true;
    net::Context::Ptr context(new net::Context(net::Context::TLS_CLIENT_USE, params));
    context->requireMinimumProtocol(net::Context::PROTO_TLSV1_2);
    context->enableExtendedCertificateVerification(true);
    return context;
}

struct Leave {
    FetchGate& gate;
    const FetchGate::Place& place;
    ~Leave() { gate.leave(place); }
};

} // namespace

struct GuardedFetcher::Trust {
    net::Context::Ptr everywhere, at_test_hosts;
};

struct GuardedFetcher::Lookups {
    std::atomic<int> running{0};
};

GuardedFetcher::GuardedFetcher(FetchGate& gate, RateLimiter& rates, FetchLimits limits, Resolver resolver)
    : gate_(gate), rates_(rates), limits_(std::move(limits)), resolver_(std::move(resolver)), lookups_(std::make_shared<Lookups>()) {}

GuardedFetcher::~GuardedFetcher() = default;

Fetched GuardedFetcher::fetch(const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) {
    const auto deadline = Clock::now() + limits_.total;
    const auto place = gate_.enter(url.id.text, limits_.at_once, deadline);
    if (place.entry == FetchGate::Entry::waited) return {Fetched::Outcome::look_again};
    if (place.entry == FetchGate::Entry::full) return {Fetched::Outcome::busy, {}, 2, "as many documents as may be are being fetched"};
    const Leave leave{gate_, place};
    if (!turn.still_needed()) return {Fetched::Outcome::look_again};
    auto fetched = fetch_in_turn(url, now, deadline);
    if (fetched.outcome == Fetched::Outcome::answered) turn.keep(fetched.answer);
    return fetched;
}

Fetched GuardedFetcher::fetch_in_turn(const core::DocumentUrl& url, core::Instant now, FetchGate::Time deadline) {
    Fetched fetched;
    try {
        int wait = rates_.admit("document host", url.host, limits_.per_host_per_minute, now);
        if (wait == 0) wait = rates_.admit("document", "", limits_.per_minute, now);
        if (wait > 0) return {Fetched::Outcome::busy, {}, wait, "too many documents in this minute"};
        return fetch_admitted(url, deadline);
    } catch (const Poco::Exception& error) {
        fetched.why = error.displayText();
    } catch (const std::exception& error) {
        fetched.why = error.what();
    }
    return fetched;
}

Fetched GuardedFetcher::fetch_admitted(const core::DocumentUrl& url, FetchGate::Time deadline) {
    const auto addresses = judged_addresses(url, deadline);
    if (!trust_) {
        const auto usual = make_context("");
        trust_ = std::make_unique<Trust>(Trust{usual, limits_.test_ca.empty() ? usual : make_context(limits_.test_ca)});
    }
    auto plain = connect_to_one(addresses, url.port, deadline);
    const auto time = until(deadline);
    plain.setReceiveTimeout(time);
    plain.setSendTimeout(time);
    const Watchdog watchdog(plain.impl()->sockfd(), deadline);
    const auto secure = net::SecureStreamSocket::attach(plain, url.host, url.test_host ? trust_->at_test_hosts : trust_->everywhere);
    Fetched fetched{Fetched::Outcome::answered, ask(secure, url, time)};
    // What was cut off at the deadline can look whole.
    if (Clock::now() >= deadline) throw std::runtime_error("out of time");
    return fetched;
}

// Resolves once. One address that is not public spoils them all: an honest host has none, and which of them a connection
// would meet is not for the owner of the name to choose.
std::vector<std::string> GuardedFetcher::judged_addresses(const core::DocumentUrl& url, FetchGate::Time deadline) {
    struct Answer {
        std::mutex mutex;
        std::condition_variable came;
        bool there = false;
        std::vector<std::string> addresses;
    };
    // Counts the thread for as long as it holds it.
    const std::shared_ptr<void> counted(nullptr, [lookups = lookups_](void*) { --lookups->running; });
    if (++lookups_->running > most_lookups) throw std::runtime_error("the resolver has not come back from earlier questions");
    const auto answer = std::make_shared<Answer>();
    std::thread([answer, counted, resolver = resolver_, host = url.host] {
        std::vector<std::string> found;
        try {
            found = resolver(host);
        } catch (...) { // no address is the answer
        }
        const std::lock_guard lock(answer->mutex);
        answer->addresses = std::move(found);
        answer->there = true;
        answer->came.notify_one();
    }).detach();
    std::unique_lock lock(answer->mutex);
    if (!answer->came.wait_until(lock, deadline, [&] { return answer->there; })) throw std::runtime_error("the name was not resolved in time");
    if (answer->addresses.empty()) throw std::runtime_error("the name has no address");
    const auto allowed = url.test_host ? core::is_loopback_address : core::is_public_address;
    if (!std::all_of(answer->addresses.begin(), answer->addresses.end(), allowed)) throw std::runtime_error("the name has an address that is not public");
    return answer->addresses;
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
