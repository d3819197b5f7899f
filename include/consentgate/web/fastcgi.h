// The FastCGI side of a worker: one request at a time. A worker that stops loses and cuts none.
#pragma once

#include "consentgate/sys/clock.h"
#include "consentgate/sys/places.h"
#include "consentgate/web/http.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace consentgate::web {

inline constexpr std::size_t body_limit = 64 * 1024; // bytes, for every route

struct ServeHooks {
    std::function<Reply(Request&)> handle; // must not throw
    std::function<void()>
        between; // after each request and every few idle seconds; must be quick; may be empty
    std::chrono::milliseconds body_time{20000}; // the longest that a body may take to arrive
    sys::Places* places = nullptr;              // null: nothing is limited
    // The variable with the groups of REMOTE_USER, and what keeps them before the request is
    // answered; must not throw. Empty: there is none.
    std::string remote_groups{};
    std::function<void(
        const std::string& user, const std::optional<std::string>& groups, core::Instant now)>
        on_remote_groups{};
    // A second socket, and what to do when something came there; must be quick. Negative: none.
    int reports = -1;
    std::function<void()> on_report{};
    std::string neighbours{}; // IPv4 addresses that may connect over TCP, with commas between them;
                              // empty: any
};

// Serves the listening socket until SIGTERM or SIGUSR1 arrives; the request in hand is finished
// first, and where more wait without a pause, a few of them. The caller must have blocked both
// signals. fail: throws std::runtime_error when the socket cannot be served at all
void serve(int listening_socket, const sys::Clock& clock, const ServeHooks& hooks);

} // namespace consentgate::web
