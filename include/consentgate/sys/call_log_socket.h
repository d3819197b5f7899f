// The socket at which the gate hears of calls that it let pass: datagrams, one line each, from
// nginx itself, or from `consentgate-admin call-log`, to which Apache and lighttpd pipe theirs.
// spec: docs/requirements.md P32
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::sys {

inline constexpr std::size_t max_call_log_bytes = 8192; // of a line; the rest is cut off

class CallLogSocket {
public:
    // Takes the place of a socket that was there. Any user of this machine may write to it, because
    // web servers run as users of their own; who writes must prove each line.
    // fail: throws std::runtime_error
    explicit CallLogSocket(const std::string& path);
    ~CallLogSocket();
    CallLogSocket(const CallLogSocket&) = delete;
    CallLogSocket& operator=(const CallLogSocket&) = delete;

    int descriptor() const { return socket_; }
    const std::string& path() const { return path_; }
    // out: absent: nothing is there
    std::optional<std::string> receive() const;

private:
    std::string path_;
    int socket_ = -1;
};

// Writes lines to such a socket. One that is gone may come back, so each line tries it anew.
class CallLogSender {
public:
    explicit CallLogSender(std::string path);
    ~CallLogSender();
    CallLogSender(const CallLogSender&) = delete;
    CallLogSender& operator=(const CallLogSender&) = delete;

    // Never waits: a web server must not wait for us. out: empty, or why it was not sent
    std::string send(std::string_view line) const;

private:
    std::string path_;
    int socket_ = -1;
};

} // namespace consentgate::sys
