#include "consentgate/web/fastcgi.h"

#include "fastcgi_accept.h"
#include "fastcgi_body.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/random.h"
#include "consentgate/web/gate.h"

#include <fcgiapp.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>

namespace consentgate::web {
namespace {

constexpr int idle_after_ms = 5000;
constexpr unsigned max_requests_before_signal_check =
    16; // requests that a busy worker may still answer after a stop signal

constexpr std::array stop_signals{SIGTERM, SIGUSR1};
volatile sig_atomic_t stop_noted = 0;

void note_stop(int) { stop_noted = 1; }

// The parameters that we read, found in one pass: a web server sends two dozen more.
enum class Known {
    role,
    uri,
    method,
    length,
    type,
    cookie,
    authorization,
    origin,
    fetch_site,
    fetch_mode,
    fetch_purpose,
    accept,
    accept_language,
    address,
    user,
    subject,
    line_limit,
    apache_role,
    soft_no,
    hides_key,
    hides_facts,
    asked_headers
};
constexpr std::array<std::string_view, 22> names{
    "FCGI_ROLE",
    "REQUEST_URI",
    "REQUEST_METHOD",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "HTTP_ORIGIN",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_MODE",
    "HTTP_SEC_PURPOSE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "REMOTE_ADDR",
    "REMOTE_USER",
    "CONSENTGATE_SUBJECT",
    "CONSENTGATE_LINE_LIMIT",
    "FCGI_APACHE_ROLE",
    "CONSENTGATE_SOFT_NO",
    "CONSENTGATE_HIDES_KEY",
    "CONSENTGATE_HIDES_FACTS",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"};

class Parameters {
public:
    // in: groups  the name of one more; empty: none
    Parameters(char** environment, std::string_view groups) {
        for (; environment != nullptr && *environment != nullptr; ++environment) {
            const std::string_view line(*environment);
            const auto equals = std::min(line.find('='), line.size());
            const auto name = line.substr(0, equals);
            const auto at = static_cast<std::size_t>(
                std::find(names.begin(), names.end(), name) - names.begin());
            lax_names_ = lax_names_ || shows_lax_names(name);
            claims_facts_ = claims_facts_ || claims_new_fact(name);
            // The first of two by one name counts: libfcgi puts the role of the record before
            // anything a web server sends.
            if (at < names.size() && !values_[at])
                values_[at] = line.substr(std::min(equals + 1, line.size()));
            if (!groups.empty() && name == groups && !groups_)
                groups_ = line.substr(std::min(equals + 1, line.size()));
        }
    }

    const std::optional<std::string_view>& operator[](Known name) const {
        return values_[static_cast<std::size_t>(name)];
    }
    std::string_view text(Known name) const { return (*this)[name].value_or(""); }
    bool lax_names() const { return lax_names_; }
    bool claims_facts() const { return claims_facts_; }
    std::optional<std::string> groups() const {
        return groups_ ? std::optional<std::string>(*groups_) : std::nullopt;
    }
    std::optional<std::string> find(Known name) const {
        const auto& value = (*this)[name];
        return value ? std::optional<std::string>(*value) : std::nullopt;
    }

private:
    std::array<std::optional<std::string_view>, names.size()> values_;
    std::optional<std::string_view> groups_;
    bool lax_names_ = false, claims_facts_ = false;
};

// REQUEST_URI is the one variable that every front end passes raw and alike.
Request read_head(const Parameters& said) {
    Request request;
    if (said.text(Known::role) == "AUTHORIZER") request.asked = Asked::as_authorizer;
    const auto target = origin_form(said.text(Known::uri));
    const auto question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    request.method = said.text(Known::method);
    request.content_type = said.find(Known::type);
    request.cookie = said.find(Known::cookie);
    request.authorization = said.find(Known::authorization);
    request.origin = said.find(Known::origin);
    request.fetch_site = said.find(Known::fetch_site);
    request.fetch_mode = said.find(Known::fetch_mode);
    request.fetch_purpose = said.find(Known::fetch_purpose);
    request.accept = said.find(Known::accept);
    request.accept_language = said.find(Known::accept_language);
    request.asked_headers = said.find(Known::asked_headers);
    request.remote_addr = said.text(Known::address);
    // Where a gate of ours stood before this address, the name is a token's subject, and no
    // person's whom the web server signed in.
    if (!said[Known::subject]) request.remote_user = said.find(Known::user);
    request.lax_names = said.lax_names();
    request.limits = answer_limits(
        request.asked, said[Known::apache_role].has_value(), said.text(Known::line_limit));
    request.soft_no = takes_soft_no(said.text(Known::apache_role), said.text(Known::soft_no));
    request.claims_facts = said.claims_facts();
    const auto role = said.text(Known::apache_role);
    request.shows_key = shows_variable(role, said.text(Known::hides_key));
    request.shows_facts = shows_variable(role, said.text(Known::hides_facts));
    return request;
}

using Clock = std::chrono::steady_clock;

// The kernel drops the answer of a connection that is closed while more of its body comes. So we
// hold it open and read, until nothing comes any more or the time is over.
class Lingering {
public:
    Lingering(int connection, const Linger& time)
        : held_(::fcntl(connection, F_DUPFD_CLOEXEC, 0)), time_(time) {}
    ~Lingering() {
        std::array<char, 16 * 1024> thrown_away;
        pollfd waiting{held_, POLLIN, 0};
        const auto silence = static_cast<int>(time_.silence.count());
        for (const auto end = Clock::now() + time_.total;
             held_ >= 0 && Clock::now() < end && ::poll(&waiting, 1, silence) > 0;) {
            if (::read(held_, thrown_away.data(), thrown_away.size()) <= 0) break;
        }
        if (held_ >= 0) ::close(held_);
    }
    Lingering(const Lingering&) = delete;
    Lingering& operator=(const Lingering&) = delete;

private:
    int held_;
    Linger time_;
};

// Different for each request of each worker there ever was, and no secret: what the worker drew
// once, and a count.
class EventIds {
public:
    std::string next() {
        const auto count = ++count_;
        std::string bytes = worker_;
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes += static_cast<char>(count >> shift & 0xFF);
        return core::to_hex(bytes);
    }

private:
    std::string worker_ = sys::OsRandom().bytes(4);
    std::uint32_t count_ = 0;
};

BodyRead serve_one(
    FCGX_Request& raw, int listening_socket, const sys::Clock& clock, const ServeHooks& hooks,
    EventIds& event_ids) {
    // Parameters that were cut off look like a request with fewer of them: never treat one as a
    // request. Nor be silent: lighttpd takes an authorizer's empty answer for a yes.
    const Parameters said(raw.envp, hooks.remote_groups);
    if (FCGX_GetError(raw.in) != 0 || said.text(Known::method).empty()) {
        const auto text = serialize(Reply{400, {}, {}}, false);
        FCGX_PutStr(text.data(), static_cast<int>(text.size()), raw.out);
        return {};
    }
    BodyRead body;
    auto request = read_head(said);
    // An authorizer is asked about a request's head; Apache sends no stream of a body at all, and
    // waiting for it would not end.
    if (request.asked == Asked::to_answer)
        body = read_body(
            raw, said[Known::length], {hooks.body_time, listening_socket, hooks.places}, request);
    request.now = clock.now();
    request.event_id = event_ids.next();
    if (hooks.on_remote_groups && request.remote_user)
        hooks.on_remote_groups(*request.remote_user, said.groups(), request.now);
    const auto text = serialize(hooks.handle(request), request.method != "HEAD");
    FCGX_PutStr(text.data(), static_cast<int>(text.size()), raw.out);
    return body;
}

void install_signals() {
    struct sigaction action {};
    action.sa_handler = note_stop;
    sigemptyset(&action.sa_mask);
    for (const int signal : stop_signals) sigaction(signal, &action, nullptr);
}

// The two signals are blocked except inside wait(): they can end the wait for a request, never the
// reading of one. The listener does not block, because another worker may have taken what was
// announced; EPOLLEXCLUSIVE lets the kernel wake one waiting worker for a request and not all of
// them.
class Listener {
public:
    // in: reports  does not block; negative: none
    Listener(int socket, int reports)
        : socket_(socket), reports_(reports), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
        add(socket_);
        if (reports_ >= 0) add(reports_);
        pthread_sigmask(SIG_SETMASK, nullptr, &waiting_);
        for (const int signal : stop_signals) sigdelset(&waiting_, signal);
    }
    ~Listener() { ::close(epoll_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    enum class Woken { request, report, idle, stop_requested };

    Woken wait() {
        epoll_event event{};
        const int ready = ::epoll_pwait(epoll_, &event, 1, idle_after_ms, &waiting_);
        if (ready < 0 && errno != EINTR)
            throw std::runtime_error("the listening socket cannot be waited for");
        if (stop_noted != 0) return Woken::stop_requested;
        if (ready == 0) return Woken::idle;
        return ready > 0 && event.data.fd == reports_ ? Woken::report : Woken::request;
    }

    // A wait that finds a request at once lets no signal in, so a busy worker has to look.
    static bool stop_requested() {
        sigset_t pending;
        sigpending(&pending);
        return std::any_of(stop_signals.begin(), stop_signals.end(), [&](int signal) {
            return sigismember(&pending, signal) == 1;
        });
    }

private:
    void add(int socket) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLEXCLUSIVE;
        event.data.fd = socket;
        if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0)
            throw std::runtime_error("the listening socket cannot be waited for");
    }

    int socket_, reports_;
    int epoll_;
    sigset_t waiting_{};
};

// libfcgi gets connections whose heads are whole, and accepts none by itself.
class Connections {
public:
    Connections(int listening_socket, const std::string& neighbours)
        : doorway_(listening_socket, neighbours) {
        if (FCGX_InitRequest(&raw_, -1, 0) != 0) throw std::runtime_error("libfcgi has no request");
    }
    ~Connections() { FCGX_Free(&raw_, 1); }
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    // out: null: there was none to take
    FCGX_Request* accept() {
        raw_.ipcFd = doorway_.accept();
        if (raw_.ipcFd < 0) return nullptr;
        raw_.keepConnection = 1; // or FCGX_Accept_r would begin by closing it
        return FCGX_Accept_r(&raw_) == 0 ? &raw_ : nullptr;
    }

    // A connection that a web server wants to keep would hold this worker until it says more.
    void finish() {
        FCGX_Finish_r(&raw_);
        if (raw_.ipcFd >= 0) ::close(raw_.ipcFd);
        raw_.ipcFd = -1;
    }

private:
    Doorway doorway_;
    FCGX_Request raw_{};
};

} // namespace

void serve(int listening_socket, const sys::Clock& clock, const ServeHooks& hooks) {
    install_signals();
    if (FCGX_Init() != 0) throw std::runtime_error("libfcgi did not start");
    Listener listener(listening_socket, hooks.reports);
    Connections connections(listening_socket, hooks.neighbours);
    EventIds event_ids;
    for (unsigned served = 0;;) {
        const auto woken = listener.wait();
        if (woken == Listener::Woken::stop_requested) break;
        if (woken == Listener::Woken::idle) {
            if (hooks.between) hooks.between();
            continue;
        }
        if (woken == Listener::Woken::report) {
            hooks.on_report();
            continue;
        }
        auto* raw = connections.accept();
        if (raw == nullptr) continue; // another worker took it
        std::optional<Lingering> lingering;
        auto body = serve_one(*raw, listening_socket, clock, hooks, event_ids);
        if (body.linger.total.count() > 0) lingering.emplace(raw->ipcFd, body.linger);
        connections.finish();
        lingering.reset();
        body.place.leave();
        if (++served % max_requests_before_signal_check == 0 && Listener::stop_requested()) break;
        if (hooks.between) hooks.between();
    }
}

} // namespace consentgate::web
