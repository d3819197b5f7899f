#include "consentgate/sys/call_log_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace consentgate::sys {
namespace {

// out: false: the path is too long for a socket
bool write_address(const std::string& path, sockaddr_un& address) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return false;
    std::copy(path.begin(), path.end(), address.sun_path);
    return true;
}

// Whatever else lies there was not ours to remove.
void remove_socket(const std::string& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) == 0 && S_ISSOCK(facts.st_mode)) ::unlink(path.c_str());
}

} // namespace

CallLogSocket::CallLogSocket(const std::string& path)
    : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const auto fail = [&](const std::string& why) {
        if (socket_ >= 0) ::close(socket_);
        throw std::runtime_error(path + ": " + why);
    };
    sockaddr_un address{};
    if (!write_address(path, address)) fail("is no path for a socket");
    remove_socket(path);
    if (socket_ < 0 ||
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail(std::strerror(errno));
    constexpr mode_t for_all = 0666;
    if (::chmod(path.c_str(), for_all) != 0) fail(std::strerror(errno));
}

CallLogSocket::~CallLogSocket() { ::close(socket_); }

std::optional<std::string> CallLogSocket::receive() const {
    std::array<char, max_call_log_bytes> bytes;
    const auto got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return std::nullopt;
    return std::string(bytes.data(), static_cast<std::size_t>(got));
}

CallLogSender::CallLogSender(std::string path)
    : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

CallLogSender::~CallLogSender() {
    if (socket_ >= 0) ::close(socket_);
}

std::string CallLogSender::send(std::string_view line) const {
    sockaddr_un address{};
    if (!write_address(path_, address)) return "is no path for a socket";
    line = line.substr(0, max_call_log_bytes);
    const auto sent = ::sendto(
        socket_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
        reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return sent < 0 ? std::strerror(errno) : "";
}

} // namespace consentgate::sys
