// A connection from the web server, through libfcgi and serve(), over a real socket. An input that
// begins with the version of FastCGI is sent as it is; any other is a request as text: a line
// NAME=VALUE for each parameter, an empty line, and the body.
#include "lines.h"
#include "require.h"

#include "tests/support/fastcgi.h"
#include "tests/support/temp_folder.h"

#include "web/fastcgi_head.h"

#include "consentgate/web/fastcgi.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

using namespace consentgate;
using tests::require;

namespace {

const std::string answered = "this is the answer";

// A worker of ours in a thread, which serves until the process ends.
class Server {
public:
    Server() {
        ::setenv("TMPDIR", "/dev/shm", 1);
        static const tests::TempFolder folder;
        address_.sun_family = AF_UNIX;
        std::strncpy(address_.sun_path, folder.file("s").c_str(), sizeof address_.sun_path - 1);
        listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool listens =
            ::bind(listening_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0 &&
            ::listen(listening_, 16) == 0;
        require(listens, "there is a socket");
        std::thread([this] { serve(); }).detach();
    }

    // The bytes that come back for these.
    std::string ask(const std::string& bytes) {
        {
            const std::lock_guard held(mutex_);
            request_.reset();
        }
        const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        require(
            ::connect(connection, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0,
            "a worker is there");
        // The server may have hung up before it has read all of it.
        for (std::size_t sent = 0; sent < bytes.size();) {
            const auto count =
                ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            sent += static_cast<std::size_t>(count);
        }
        ::shutdown(connection, SHUT_WR);
        std::string back;
        char buffer[4096];
        for (;;) {
            const auto count = ::read(connection, buffer, sizeof buffer);
            if (count < 0 && errno == EINTR) continue; // libFuzzer's clock
            if (count <= 0) break;
            back.append(buffer, static_cast<std::size_t>(count));
        }
        ::close(connection);
        return back;
    }

    // The last request that the handler was given.
    std::optional<web::Request> request() {
        const std::lock_guard held(mutex_);
        return request_;
    }

private:
    void serve() {
        // A worker gets no signal but its two; libFuzzer's clock would cut what libfcgi writes.
        sigset_t signals;
        sigemptyset(&signals);
        for (const int signal : {SIGTERM, SIGUSR1, SIGALRM}) sigaddset(&signals, signal);
        ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        web::ServeHooks hooks;
        hooks.handle = [this](web::Request& request) {
            const std::lock_guard held(mutex_);
            require(!request_, "a connection brings one request");
            request_ = request;
            return web::Reply{200, {}, answered};
        };
        web::serve(listening_, clock_, hooks);
    }

    sockaddr_un address_{};
    int listening_ = -1;
    sys::SystemClock clock_;
    std::mutex mutex_;
    std::optional<web::Request> request_;
};

// The records of an answer hold this for the web server; absent when they are not whole.
std::optional<std::string> answer_in(std::string_view bytes) {
    constexpr unsigned out = 6, end = 3;
    std::string text;
    while (bytes.size() >= 8) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
        const std::size_t length = std::size_t{byte(4)} << 8 | byte(5);
        const auto whole = 8 + length + byte(6);
        if (bytes.size() < whole) return std::nullopt;
        if (byte(1) == out) text += bytes.substr(8, length);
        if (byte(1) == end) return text;
        bytes.remove_prefix(whole);
    }
    return std::nullopt;
}

void look_at_request(const web::Request& request) {
    require(!request.method.empty(), "a request has a method");
    require(request.path.find('?') == std::string::npos, "a path ends before its query");
    require(request.event_id.size() == 16, "a request can be found in the log");
    require(
        request.body.size() <= web::body_limit + 1, "no more is kept of a body than is allowed");
    require(
        request.body.size() <= web::body_limit || request.body_state == web::BodyState::too_large,
        "a body that is too large is said to be");
}

void look_at_answer(const std::string& back, const std::optional<web::Request>& request) {
    const auto answer = answer_in(back);
    if (!request) {
        require(
            !answer || answer->starts_with("Status: 4"),
            "what is no request is refused, in words or without");
        return;
    }
    look_at_request(*request);
    require(
        answer && answer->starts_with("Status: 200 OK\r\n") &&
            (request->method == "HEAD" || answer->ends_with(answered)),
        "whatever was handled is answered as a whole");
}

// After a head, libfcgi still loses memory over each record of management (its request is 0), and
// ends the process over repeated questions in one (F8).
bool manages(std::string_view bytes) {
    while (bytes.size() >= 8) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
        if (byte(2) == 0 && byte(3) == 0) return true;
        const auto whole = 8 + (std::size_t{byte(4)} << 8 | byte(5)) + byte(6);
        bytes.remove_prefix(std::min(whole, bytes.size()));
    }
    return false;
}

struct Sent {
    tests::Pairs pairs;
    std::string body;

    // The first of two counts.
    std::optional<std::string> find(const std::string& name) const {
        for (const auto& [known, value] : pairs)
            if (known == name) return value;
        return std::nullopt;
    }
};

Sent read_text(std::string_view text) {
    Sent sent;
    while (!text.empty()) {
        const auto line = tests::take_line(text);
        if (line.empty()) break;
        const auto equals = std::min(line.find('='), line.size());
        sent.pairs.emplace_back(
            line.substr(0, equals), line.substr(std::min(equals + 1, line.size())));
    }
    sent.body = std::string(text);
    return sent;
}

// A well-formed request comes to the handler as the web server sent it.
void look_at_text(Server& server, std::string_view text) {
    const auto sent = read_text(text);
    const auto head = tests::fastcgi_head(sent.pairs);
    const auto body = tests::fastcgi_record(tests::RecordType::stdin_, sent.body);
    const auto back = server.ask(
        head + (sent.body.empty() ? "" : body) +
        tests::fastcgi_record(tests::RecordType::stdin_, ""));
    const auto request = server.request();
    look_at_answer(back, request);
    const auto method = sent.find("REQUEST_METHOD").value_or("");
    require(request.has_value() == !method.empty(), "what has a method is a request");
    if (!request) return;
    require(request->asked == web::Asked::to_answer, "a parameter changes no role");
    require(request->method == method, "the method is the one that was sent");
    require(request->cookie == sent.find("HTTP_COOKIE"), "a cookie comes as it was sent");
    require(
        request->authorization == sent.find("HTTP_AUTHORIZATION"),
        "a credential comes as it was sent");
    require(
        !request->remote_user || request->remote_user == sent.find("REMOTE_USER"),
        "the web server alone names a person");
    const auto target = sent.find("REQUEST_URI").value_or("");
    if (target.starts_with('/'))
        require(
            target ==
                request->path + (target.find('?') == std::string::npos ? "" : "?") + request->query,
            "path and query make up the target");
    if (request->body_state == web::BodyState::whole)
        require(request->body == sent.body, "a whole body comes as it was sent");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto& server = *new Server; // its thread outlives everything
    const auto text = tests::text_of_input(data, size);
    if (size > 60000) return 0; // of one record
    if (text.starts_with('\1')) {
        const bool known = web::look_at_head(text) == web::Head::whole && manages(text);
        if (known) return 0;
        const auto back = server.ask(std::string(text));
        look_at_answer(back, server.request());
    } else if (text.find('\0') == std::string_view::npos) {
        look_at_text(server, text);
    }
    return 0;
}
