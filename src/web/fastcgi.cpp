#include "consentgate/web/fastcgi.h"

#include "consentgate/core/text.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/random.h"

#include <fcgiapp.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace consentgate::web {
namespace {

constexpr std::size_t most_drained = 16 * 1024 * 1024; // bytes of an oversized body that are read and thrown away
constexpr timespec idle_after{5, 0};

volatile sig_atomic_t told_to_stop = 0;

void note_stop(int) { told_to_stop = 1; }

std::optional<std::string> parameter(char** environment, const char* name) {
    const char* value = FCGX_GetParam(name, environment);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

// REQUEST_URI is the one variable that every front end passes raw and alike.
Request read_head(char** environment) {
    Request request;
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
    return request;
}

// Reads to the end, whatever is kept: an undrained body breaks the connection for the answer.
void read_body(FCGX_Request& raw, Request& request) {
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
}

void serve_one(FCGX_Request& raw, const ServeHooks& hooks, sys::Random& random) {
    // Parameters that were cut off look like a request with fewer of them: never treat one as a request.
    if (FCGX_GetError(raw.in) != 0 || FCGX_GetParam("REQUEST_METHOD", raw.envp) == nullptr) return;
    auto request = read_head(raw.envp);
    read_body(raw, request);
    request.now = sys::now();
    request.event_id = core::to_hex(random.bytes(8));
    const auto text = serialize(hooks.handle(request), request.method != "HEAD");
    FCGX_PutStr(text.data(), static_cast<int>(text.size()), raw.out);
}

void install_signals() {
    struct sigaction action{};
    action.sa_handler = note_stop;
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

} // namespace

// The two signals are blocked except inside ppoll: they can end the wait for a request, never the reading of one. The
// listener does not block, because another worker may have taken what ppoll announced.
void serve(int listening_socket, const ServeHooks& hooks) {
    install_signals();
    if (FCGX_Init() != 0) throw std::runtime_error("libfcgi did not start");
    ::fcntl(listening_socket, F_SETFL, ::fcntl(listening_socket, F_GETFL) | O_NONBLOCK);
    FCGX_Request raw;
    if (FCGX_InitRequest(&raw, listening_socket, FCGI_FAIL_ACCEPT_ON_INTR) != 0) throw std::runtime_error("libfcgi has no request");
    sys::OsRandom random;
    sigset_t waiting;
    pthread_sigmask(SIG_SETMASK, nullptr, &waiting);
    sigdelset(&waiting, SIGTERM);
    sigdelset(&waiting, SIGUSR1);
    while (told_to_stop == 0) {
        pollfd listener{listening_socket, POLLIN, 0};
        const int ready = ::ppoll(&listener, 1, &idle_after, &waiting);
        if (ready == 0 && hooks.between) hooks.between();
        if (ready < 0 && errno != EINTR) throw std::runtime_error("the listening socket cannot be waited for");
        if (ready <= 0) continue;
        const int accepted = FCGX_Accept_r(&raw);
        if (accepted == -EAGAIN || accepted == -EWOULDBLOCK || accepted == -EINTR || accepted == -ECONNABORTED) continue;
        if (accepted < 0) throw std::runtime_error("the listening socket cannot be accepted from");
        serve_one(raw, hooks, random);
        FCGX_Finish_r(&raw);
        if (hooks.between) hooks.between();
    }
    FCGX_Free(&raw, 1);
}

} // namespace consentgate::web
