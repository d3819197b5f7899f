#include "fastcgi_body.h"

#include "consentgate/core/base/address.h"
#include "consentgate/web/fastcgi.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>

namespace consentgate::web {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t max_drained =
    16 * 1024 * 1024; // bytes of an oversized body that are read and thrown away
constexpr milliseconds first_allowance{3000};
constexpr std::size_t least_rate = 2048; // bytes a second
// A body that is there with its head, as nearly all are, needs no place.
constexpr milliseconds without_place{10};
constexpr milliseconds look_every{100};
constexpr milliseconds last_look{1};
constexpr Linger after_late{milliseconds(1000), milliseconds(1000)};
constexpr Linger after_too_large{milliseconds(200), milliseconds(2000)};

bool is_readable(int socket) {
    pollfd looked_at{socket, POLLIN, 0};
    return ::poll(&looked_at, 1, 0) > 0 && (looked_at.revents & POLLIN) != 0;
}

class Body {
public:
    Body(
        FCGX_Request& raw, std::optional<std::string_view> promised, const BodyRules& rules,
        Request& request)
        : raw_(raw), promised_(promised), rules_(rules), request_(request) {}

    BodyRead read() {
        set_read_timeout(without_place);
        while (seen_ < max_drained && !over_) {
            const bool came = read_some();
            if (!came && !nothing_came_yet()) break;
            if (Clock::now() - begin_ < without_place) continue;
            find_place(came);
            find_lateness(came);
        }
        request_.body_state = state();
        if (over_ == BodyState::late) return {after_late, std::move(place_)};
        if (!over_ && seen_ >= max_drained) return {after_too_large, std::move(place_)};
        return {};
    }

private:
    // Takes the bytes that are there, or the next to come: libfcgi would wait until the buffer is
    // full.
    bool read_some() {
        const int first = FCGX_GetChar(raw_.in);
        if (first == EOF) return false;
        auto* in = raw_.in;
        std::array<char, 16 * 1024> buffer;
        buffer[0] = static_cast<char>(first);
        const auto there =
            std::min(buffer.size() - 1, static_cast<std::size_t>(in->stop - in->rdNext));
        std::size_t got = 1;
        if (there > 0)
            got += static_cast<std::size_t>(
                FCGX_GetStr(buffer.data() + 1, static_cast<int>(there), in));
        seen_ += got;
        const auto wanted = body_limit + 1 - std::min(body_limit + 1, request_.body.size());
        request_.body.append(buffer.data(), std::min(wanted, got));
        return true;
    }

    // libfcgi takes a read that timed out for the end of the stream; nothing is lost by reading on.
    bool nothing_came_yet() {
        const int error = FCGX_GetError(raw_.in);
        if (error != EAGAIN && error != EWOULDBLOCK) return false;
        FCGX_ClearError(raw_.in);
        raw_.in->isClosed = 0;
        return true;
    }

    void find_place(bool came) {
        if (place_ || rules_.places == nullptr) {
            set_read_timeout(look_every);
            return;
        }
        // Bytes that are there already take no time, and need no place.
        if (refused_ && !came) over_ = BodyState::refused;
        if (refused_) return;
        place_ = rules_.places->enter(sys::PlaceKind::body, core::caller_of(request_.remote_addr));
        refused_ = !place_;
        set_read_timeout(refused_ ? last_look : look_every);
    }

    // A request that waits at one look only is one that another worker is about to take.
    void find_lateness(bool came) {
        if (over_) return;
        if (const auto now = Clock::now(); !came || now >= next_look_) {
            const bool one_waits = is_readable(rules_.listening_socket);
            others_wait_ = one_waits && one_waited_;
            one_waited_ = one_waits;
            next_look_ = now + look_every;
        }
        if (Clock::now() - begin_ > body_allowance(seen_, others_wait_, rules_.longest))
            over_ = BodyState::late;
    }

    // libfcgi returns a stream that ended early like a whole one. Only its error (a protocol error)
    // or a content length that was not reached shows the difference.
    BodyState state() const {
        if (over_) return *over_;
        if (request_.body.size() > body_limit) return BodyState::too_large;
        std::size_t length = 0;
        const auto text = promised_.value_or("");
        std::from_chars(text.data(), text.data() + text.size(), length);
        const bool short_of_promise = !text.empty() && length != seen_;
        return FCGX_GetError(raw_.in) != 0 || short_of_promise ? BodyState::cut : BodyState::whole;
    }

    void set_read_timeout(milliseconds time) {
        if (time == timeout_) return;
        timeout_ = time;
        timeval wait{};
        wait.tv_sec = static_cast<time_t>(time.count() / 1000);
        wait.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
        ::setsockopt(raw_.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    }

    FCGX_Request& raw_;
    std::optional<std::string_view> promised_;
    const BodyRules& rules_;
    Request& request_;
    sys::Place place_;
    bool refused_ = false, others_wait_ = false, one_waited_ = false;
    std::optional<BodyState> over_; // before it was all there
    std::size_t seen_ = 0;
    milliseconds timeout_{0};
    const Clock::time_point begin_ = Clock::now();
    Clock::time_point next_look_ = begin_;
};

} // namespace

milliseconds body_allowance(std::size_t bytes, bool others_wait, milliseconds longest) {
    // Beyond the limit the body is of no use, and gains no time.
    const auto counted = std::min(bytes, body_limit) * 1000 / least_rate;
    const auto all = first_allowance + milliseconds(counted);
    return std::min(longest, others_wait ? all / 2 : all);
}

BodyRead read_body(
    FCGX_Request& raw, std::optional<std::string_view> promised, const BodyRules& rules,
    Request& request) {
    return Body(raw, promised, rules, request).read();
}

} // namespace consentgate::web
