#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr timeval patience{20, 0}; // a server that is silent for longer has failed

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::size_t number(std::string_view text) {
    std::size_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
        throw std::runtime_error("an answer without a Content-Length");
    return value;
}

} // namespace

std::string_view Response::header(std::string_view name) const {
    for (auto at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
            return line.substr(name.size() + 2);
    }
    return {};
}

void HttpClient::connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto address = loopback(port_);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("the web server does not listen");
}

void HttpClient::disconnect() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

void HttpClient::send(std::string_view request) const {
    while (!request.empty()) {
        const auto sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("the web server took only part of a request");
        request.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void HttpClient::receive_more() {
    std::array<char, 16 * 1024> buffer;
    const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0) throw std::runtime_error("the answer was cut off");
    received_.append(buffer.data(), static_cast<std::size_t>(got));
}

Response HttpClient::exchange(std::string_view request) {
    if (socket_ < 0) connect();
    send(request);
    received_.clear();
    auto end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) receive_more();
    Response response;
    response.head = std::string_view(received_).substr(0, end);
    const auto length = number(response.header("Content-Length"));
    while (received_.size() < end + 4 + length) receive_more();

    response.head = std::string_view(received_).substr(0, end); // again: the text may have moved
    response.body = std::string_view(received_).substr(end + 4, length);
    response.status =
        static_cast<int>(number(response.head.substr(response.head.find(' ') + 1, 3)));
    if (response.header("Connection") == "close") disconnect();
    return response;
}

int free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(probe);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

} // namespace consentgate::bench
