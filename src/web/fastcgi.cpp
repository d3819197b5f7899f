#include "consentgate/web/fastcgi.h"

#include "consentgate/core/text.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/random.h"

#include <fcgiapp.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace consentgate::web {
namespace {

constexpr std::size_t most_drained = 16 * 1024 * 1024; // bytes of an oversized body that are read and thrown away
constexpr int idle_after_ms = 5000, linger_ms = 200;

volatile sig_atomic_t told_to_stop = 0;

void note_stop(int) { told_to_stop = 1; }

std::optional<std::string> parameter(char** environment, const char* name) {
    const char* value = FCGX_GetParam(name, environment);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

// REQUEST_URI is the one variable that every front end passes raw and alike.
Request read_head(char** environment) {
    Request request;
    // libfcgi puts the role of the record first, before anything a web server sends by that name.
    if (parameter(environment, "FCGI_ROLE") == "AUTHORIZER") request.asked = Asked::as_authorizer;
    const auto uri = parameter(environment, "REQUEST_URI").value_or("");
    const auto question = std::min(uri.find('?'), uri.size());
    request.path = uri.substr(0, question);
    request.query = uri.substr(std::min(question + 1, uri.size()));
    request.method = parameter(environment, "REQUEST_METHOD").value_or("");
    request.content_type = parameter(environment, "CONTENT_TYPE");
    request.cookie = parameter(environment, "HTTP_COOKIE");
    request.authorization = parameter(environment, "HTTP_AUTHORIZATION");
    request.origin = parameter(environment, "HTTP_ORIGIN");
    request.fetch_site = parameter(environment, "HTTP_SEC_FETCH_SITE");
    request.accept = parameter(environment, "HTTP_ACCEPT");
    request.accept_language = parameter(environment, "HTTP_ACCEPT_LANGUAGE");
    request.remote_addr = parameter(environment, "REMOTE_ADDR").value_or("");
    // Where a gate of ours stood before this address, the name is a token's subject, and no person's whom the web server signed in.
    if (!parameter(environment, "CONSENTGATE_SUBJECT")) request.remote_user = parameter(environment, "REMOTE_USER");
    return request;
}

// Reads to the end, whatever is kept: an undrained body breaks the connection for the answer.
// out: whether it came to the end
bool read_body(FCGX_Request& raw, Request& request) {
    std::array<char, 16 * 1024> buffer;
    std::size_t seen = 0;
    while (seen < most_drained) {
        const int got = FCGX_GetStr(buffer.data(), static_cast<int>(buffer.size()), raw.in);
        if (got <= 0) break;
        seen += static_cast<std::size_t>(got);
        const auto room = body_limit + 1 - std::min(body_limit + 1, request.body.size());
        request.body.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    }
    // libfcgi hands a stream that ended early to us like a whole one; only its error tells (protocol error), and a
    // promised length that did not come.
    const auto promised = parameter(raw.envp, "CONTENT_LENGTH");
    const bool short_of_promise = promised && !promised->empty() && std::strtoull(promised->c_str(), nullptr, 10) != seen;
    if (request.body.size() > body_limit) {
        request.body_state = BodyState::too_large;
    } else if (FCGX_GetError(raw.in) != 0 || short_of_promise) {
        request.body_state = BodyState::cut;
    }
    return seen < most_drained;
}

// Of a connection that is closed while more of its body comes, the kernel throws the answer away. So it is held open, and read from,
// until nothing comes any more.
class Lingering {
public:
    explicit Lingering(int connection) : held_(::fcntl(connection, F_DUPFD_CLOEXEC, 0)) {}
    ~Lingering() {
        std::array<char, 16 * 1024> thrown_away;
        pollfd waiting{held_, POLLIN, 0};
        for (std::size_t seen = 0; held_ >= 0 && seen < most_drained && ::poll(&waiting, 1, linger_ms) > 0;) {
            const auto got = ::read(held_, thrown_away.data(), thrown_away.size());
            if (got <= 0) break;
            seen += static_cast<std::size_t>(got);
        }
        if (held_ >= 0) ::close(held_);
    }
    Lingering(const Lingering&) = delete;
    Lingering& operator=(const Lingering&) = delete;

private:
    int held_;
};

// Different for each request of each worker there ever was, and no secret: what the worker drew once, and a count.
class EventIds {
public:
    std::string next() {
        const auto count = ++count_;
        std::string bytes = worker_;
        for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(count >> shift & 0xFF);
        return core::to_hex(bytes);
    }

private:
    std::string worker_ = sys::OsRandom().bytes(4);
    std::uint32_t count_ = 0;
};

// out: whether the request was read to its end
bool serve_one(FCGX_Request& raw, const ServeHooks& hooks, EventIds& event_ids) {
    // Parameters that were cut off look like a request with fewer of them: never treat one as a request. Nor be silent: lighttpd
    // takes an authorizer's empty answer for a yes.
    if (FCGX_GetError(raw.in) != 0 || FCGX_GetParam("REQUEST_METHOD", raw.envp) == nullptr) {
        const auto text = serialize(Reply{400, {}, {}}, false);
        FCGX_PutStr(text.data(), static_cast<int>(text.size()), raw.out);
        return true;
    }
    bool whole = true;
    auto request = read_head(raw.envp);
    // An authorizer is asked about a request's head; Apache sends no stream of a body at all, and waiting for it would not end.
    if (request.asked == Asked::to_answer) whole = read_body(raw, request);
    request.now = sys::now();
    request.event_id = event_ids.next();
    const auto text = serialize(hooks.handle(request), request.method != "HEAD");
    FCGX_PutStr(text.data(), static_cast<int>(text.size()), raw.out);
    return whole;
}

void install_signals() {
    struct sigaction action{};
    action.sa_handler = note_stop;
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

// The two signals are blocked except inside wait(): they can end the wait for a request, never the reading of one. The
// listener does not block, because another worker may have taken what was announced; EPOLLEXCLUSIVE lets the kernel wake one
// waiting worker for a request and not all of them.
class Listener {
public:
    explicit Listener(int socket) : socket_(socket), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLEXCLUSIVE;
        if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) throw std::runtime_error("the listening socket cannot be waited for");
        pthread_sigmask(SIG_SETMASK, nullptr, &waiting_);
        sigdelset(&waiting_, SIGTERM);
        sigdelset(&waiting_, SIGUSR1);
    }
    ~Listener() { ::close(epoll_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    enum class Woken { request, idle, signal };

    Woken wait() {
        epoll_event event{};
        const int ready = ::epoll_pwait(epoll_, &event, 1, idle_after_ms, &waiting_);
        if (ready < 0 && errno != EINTR) throw std::runtime_error("the listening socket cannot be waited for");
        return ready > 0 ? Woken::request : ready == 0 ? Woken::idle : Woken::signal;
    }

private:
    int socket_;
    int epoll_;
    sigset_t waiting_{};
};

// out: whether there was one to take
bool accept_request(FCGX_Request& raw) {
    const int accepted = FCGX_Accept_r(&raw);
    if (accepted == -EAGAIN || accepted == -EWOULDBLOCK || accepted == -EINTR || accepted == -ECONNABORTED) return false;
    if (accepted < 0) throw std::runtime_error("the listening socket cannot be accepted from");
    return true;
}

} // namespace

void serve(int listening_socket, const ServeHooks& hooks) {
    install_signals();
    if (FCGX_Init() != 0) throw std::runtime_error("libfcgi did not start");
    Listener listener(listening_socket);
    FCGX_Request raw;
    if (FCGX_InitRequest(&raw, listening_socket, FCGI_FAIL_ACCEPT_ON_INTR) != 0) throw std::runtime_error("libfcgi has no request");
    EventIds event_ids;
    while (told_to_stop == 0) {
        const auto woken = listener.wait();
        if (woken == Listener::Woken::idle && hooks.between) hooks.between();
        if (woken != Listener::Woken::request || !accept_request(raw)) continue;
        std::optional<Lingering> lingering;
        if (!serve_one(raw, hooks, event_ids)) lingering.emplace(raw.ipcFd);
        FCGX_Finish_r(&raw);
        lingering.reset();
        if (hooks.between) hooks.between();
    }
    FCGX_Free(&raw, 1);
}

} // namespace consentgate::web
