#include "consentgate/sys/http2_probe.h"

#include "consentgate/core/base/uri.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using namespace std::string_view_literals;

// Asks for both, as a browser does.
bool chooses_http2(net::StreamSocket& socket, const std::string& host) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
    constexpr auto protocols = "\2h2\10http/1.1"sv;
    SSL_set_alpn_protos(
        tls.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
        static_cast<unsigned>(protocols.size()));
    SSL_set_tlsext_host_name(tls.get(), host.c_str());
    SSL_set_fd(tls.get(), static_cast<int>(socket.impl()->sockfd()));
    if (SSL_connect(tls.get()) != 1) return false;
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls.get(), &chosen, &size);
    return std::string_view(reinterpret_cast<const char*>(chosen), size) == "h2";
}

// The first frame of either side is SETTINGS (4), on stream 0; ours is empty.
bool answers_settings(net::StreamSocket& socket) {
    constexpr auto preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv;
    socket.sendBytes(preface.data(), static_cast<int>(preface.size()));
    std::array<char, 9> frame{};
    std::size_t got = 0;
    while (got < frame.size()) {
        const int more =
            socket.receiveBytes(frame.data() + got, static_cast<int>(frame.size() - got));
        if (more <= 0) return false;
        got += static_cast<std::size_t>(more);
    }
    return frame[3] == 4 && frame[5] == 0 && frame[8] == 0;
}

} // namespace

bool speaks_http2(const std::string& origin, std::chrono::milliseconds time) {
    const auto parts = core::split_uri(origin);
    if (!parts || parts->host.empty()) return false;
    const bool secure = origin.starts_with("https:");
    auto host = std::string(parts->host);
    const auto port =
        parts->port.empty() ? std::string(secure ? "443" : "80") : std::string(parts->port);
    try {
        const Poco::Timespan patience(static_cast<Poco::Timespan::TimeDiff>(time.count()) * 1000);
        net::StreamSocket socket;
        socket.connect(net::SocketAddress(host + ":" + port), patience);
        socket.setReceiveTimeout(patience);
        socket.setSendTimeout(patience);
        return secure ? chooses_http2(socket, host) : answers_settings(socket);
    } catch (const Poco::Exception&) {
        return false;
    }
}

} // namespace consentgate::sys
