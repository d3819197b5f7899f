#include "http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Steady = std::chrono::steady_clock;

constexpr int max_lookups = 4; // of one client at a time; a hanging resolver abandons them
constexpr std::size_t max_addresses = 6;
constexpr std::chrono::milliseconds head_start{250}; // spec: RFC 8305 section 8

net::SocketAddress socket_address(const std::string& address, int port) {
    return {
        net::IPAddress(address.data(), static_cast<poco_socklen_t>(address.size())),
        static_cast<Poco::UInt16>(port)};
}

// Takes an address of each family in turn, beginning with the family that the resolver prefers.
// spec: RFC 8305 section 4
std::vector<std::string> alternate_families(const std::vector<std::string>& addresses) {
    std::vector<std::string> ordered, later = addresses;
    for (auto wanted = addresses.front().size(); !later.empty();) {
        const auto next = std::find_if(later.begin(), later.end(), [&](const std::string& address) {
            return address.size() == wanted;
        });
        const auto taken = next == later.end() ? later.begin() : next;
        wanted = taken->size() == 4 ? 16 : 4;
        ordered.push_back(*taken);
        later.erase(taken);
    }
    ordered.resize(std::min(ordered.size(), max_addresses));
    return ordered;
}

// Attempts at one host, each begun a head start after the one before, or at once when that failed.
// An address that swallows packets so costs the head start, and not the whole time. spec: RFC 8305
// section 5
class ConnectionRace {
public:
    ConnectionRace(const std::vector<std::string>& addresses, int port, Deadline deadline)
        : addresses_(alternate_families(addresses)), port_(port), deadline_(deadline) {}

    // out: the first that is connected. fail: throws Poco::Exception, std::runtime_error
    net::StreamSocket run() {
        for (;;) {
            until(deadline_);
            if (next_ < addresses_.size() && Steady::now() >= next_at_) begin_next();
            if (running_.empty() && next_ == addresses_.size()) report_failure();
            if (auto connected = take_connected()) return *connected;
        }
    }

private:
    void begin_next() {
        const auto to = socket_address(addresses_[next_++], port_);
        next_at_ = Steady::now() + head_start;
        net::StreamSocket socket;
        try {
            socket.connectNB(to);
            running_.push_back(socket);
        } catch (const Poco::Exception& error) { // as where there is no route for its family
            failed_with(error.code());
        }
    }

    // Waits until an attempt has ended, or the next one is to begin.
    std::optional<net::StreamSocket> take_connected() {
        std::vector<pollfd> waiting;
        for (const auto& socket : running_)
            waiting.push_back({socket.impl()->sockfd(), POLLOUT, 0});
        const auto until_when =
            next_ < addresses_.size() ? std::min(next_at_, deadline_) : deadline_;
        const auto time =
            std::chrono::ceil<std::chrono::milliseconds>(until_when - Steady::now()).count();
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(0, time)));
        for (std::size_t i = waiting.size(); i-- > 0;) {
            if (waiting[i].revents == 0) continue;
            auto socket = running_[i];
            const int error = socket.impl()->socketError();
            if (error == 0) {
                socket.setBlocking(true);
                return socket;
            }
            running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            failed_with(error);
        }
        return std::nullopt;
    }

    void failed_with(int error) {
        failure_ = error;
        next_at_ = Steady::now();
    }

    [[noreturn]] void report_failure() const {
        if (failure_ == ECONNREFUSED) throw net::ConnectionRefusedException();
        throw net::NetException(
            "it cannot be connected to: " + std::generic_category().message(failure_));
    }

    std::vector<std::string> addresses_; // in the order in which they are tried
    int port_;
    Deadline deadline_;
    std::size_t next_ = 0;
    Steady::time_point next_at_ = Steady::now();
    std::vector<net::StreamSocket> running_;
    int failure_ = 0;
};

// Which check of a certificate chain failed last in this thread, as OpenSSL numbers them; Poco
// reports only that one did. A handshake runs in the thread that wants it.
thread_local int failed_check = X509_V_OK;
thread_local int failed_depth = 0; // of the certificate in the chain; 0: the host's own

int note_failed_check(int passed, X509_STORE_CTX* chain) {
    if (passed == 0) {
        failed_check = X509_STORE_CTX_get_error(chain);
        failed_depth = X509_STORE_CTX_get_error_depth(chain);
    }
    return passed;
}

TlsFailure chain_failure(int check) {
    const auto words = [check](const char* said) {
        return std::string(said) + " (" + X509_verify_cert_error_string(check) + ")";
    };
    switch (check) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return {core::FailureCause::tls_expired, words("its TLS certificate is not good now")};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        if (failed_depth == 0)
            return {
                core::FailureCause::tls_unknown_authority,
                words(
                    (std::string(without_chain) + ", or is of an authority that is not known here")
                        .c_str())};
        [[fallthrough]];
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        return {
            core::FailureCause::tls_unknown_authority,
            words("its TLS certificate is of an authority that is not known here")};
    default: return {core::FailureCause::tls_failed, words("its TLS certificate is not accepted")};
    }
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
    if (answer->addresses.empty()) throw NameNotResolved("the name has no address");
    return answer->addresses;
}

net::StreamSocket connect_to_one(
    const std::vector<std::string>& addresses, int port, Deadline deadline) {
    return ConnectionRace(addresses, port, deadline).run();
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
    auto* const settings = context->sslContext();
    ::SSL_CTX_set_verify(settings, ::SSL_CTX_get_verify_mode(settings), note_failed_check);
    return context;
}

net::StreamSocket secure(
    const net::StreamSocket& socket, const std::string& host, const net::Context::Ptr& context) {
    failed_check = X509_V_OK;
    try {
        return net::SecureStreamSocket::attach(socket, host, context);
    } catch (const net::CertificateValidationException&) { // Poco compares the name after the chain
        throw TlsFailure(
            core::FailureCause::tls_wrong_name, "its TLS certificate is not for " + host);
    } catch (const net::SSLException& error) {
        if (failed_check != X509_V_OK) throw chain_failure(failed_check);
        throw TlsFailure(core::FailureCause::tls_failed, "TLS failed: " + error.displayText());
    }
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
