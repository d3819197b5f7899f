// The one outgoing HTTP client: a single request over a single connection, within a time and a size
// that this program sets. Each request says which addresses it may reach.
// spec: docs/requirements.md R30, R31
#pragma once

#include "consentgate/core/base/failure_cause.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/sys/places.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::sys {

// Depends on who chose the URL.
enum class AddressPolicy {
    // The operator did: any address over https, and http on this machine only. A name that means
    // this machine (localhost) must resolve to loopback addresses.
    operator_url,
    // A service that the operator named by `operator_url` did: as above, and no address is nearer
    // to this machine than that URL's (core::may_be_named).
    named_by_service,
    // A stranger did: https, and every address of the host is public. An honest host has no other
    // address, and the owner of the name must not choose which one a connection meets.
    public_only,
    // A stranger did, and the operator lists the host as a test host: https, and every address of
    // the host is a loopback address.
    loopback_only,
};

// Says what a request is for. It has no default, so no request can forget its kind.
class Purpose {
public:
    Purpose(PlaceKind kind) : kind_(kind) {}
    PlaceKind kind() const { return kind_; }

private:
    PlaceKind kind_;
};

struct HttpRequest {
    Purpose purpose;
    std::string method = "GET";
    std::string url{};
    std::string target{}; // of the request line, in place of the URL's path and query
    // Accept, Authorization and the like; the client adds Host, User-Agent and lengths.
    std::vector<std::pair<std::string, std::string>> headers{};
    core::Secret body{};
    std::string content_type{}; // of the body; empty: there is no body
    AddressPolicy addresses = AddressPolicy::operator_url;
    std::string operator_url{};              // for named_by_service
    bool allow_plain_http = false;           // operator_url: http to any host; sends no secret
    std::size_t max_body_bytes = 256 * 1024; // of the response
    bool body_of_success_only = false;       // reads no body unless the status is 200
    bool head_only = false;                  // reads no body: one of a stream does not end
    std::optional<std::chrono::steady_clock::time_point> deadline{}; // if before the client's own
};

struct HttpResponse {
    // False: no whole response came; `cause` and `reason` say why, for the log and the operator.
    // The fields of the head are still set when the body alone was `too_large` or `cut_off`.
    bool answered = false;
    core::FailureCause cause = core::FailureCause::none; // of no whole response
    bool no_place = false;   // nothing was asked: too many workers wait for others already
    bool too_large = false;  // the body holds the first max_body_bytes + 1 bytes
    bool cut_off = false;    // the body is shorter than its Content-Length
    bool timed_out = false;  // the time ran out before the answer was whole
    bool unresolved = false; // not answered, because the host's name leads to no address
    int status = 0;
    std::string content_type{}; // lower case, without parameters
    std::string authenticate{}; // all WWW-Authenticate headers, joined with ", "
    // 0: absent, or not usable. A date counts from the `Date` of the same answer, because both are
    // by the server's clock.
    int retry_after_seconds = 0;
    std::string location{};   // of a redirect, which is never followed
    std::string link{};       // all Link headers, joined with ", " (RFC 8288)
    std::string set_cookie{}; // the first cookie that it sets; no later request carries it
    core::Secret body{};
    std::string reason{};
    std::optional<core::Instant> date{}; // by the server's clock
    std::string access_control_allow_origin{}, access_control_allow_headers{};
    std::string cache_control{}, age{}, expires{};
    std::string server{}; // what it calls itself
};

// The reason of tls_unknown_authority begins so where the host sent its own certificate alone,
// which is not signed by an authority itself.
inline constexpr std::string_view without_chain = "its TLS certificate comes without the chain";

class HttpClient {
public:
    virtual ~HttpClient() = default;
    // Throws nothing of its own.
    virtual HttpResponse send(const HttpRequest& request) = 0;
};

struct HttpLimits {
    std::chrono::milliseconds total{10000}; // resolving, connecting, TLS and reading together
    // PEM file of authorities besides the system's, for hosts that the operator named: it does not
    // count for AddressPolicy::public_only. Empty: none.
    std::string ca{};
};

// Returns all addresses of a host, each in its 4 or 16 bytes. It may block: it runs in a thread of
// its own, which is abandoned when it takes too long.
using Resolver = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> resolve_by_system(const std::string& host);

// Resolves a name once and connects to an address it has checked; uses no proxy; verifies the
// certificate against the system's authorities (and `ca`).
class PocoHttpClient final : public HttpClient {
public:
    explicit PocoHttpClient(HttpLimits limits, Resolver resolver = resolve_by_system);
    ~PocoHttpClient() override;

    HttpResponse send(const HttpRequest& request) override;

private:
    struct State;
    HttpLimits limits_;
    Resolver resolver_;
    std::unique_ptr<State> state_;
};

// The client of a worker: nothing is asked without a place.
class PlacedHttpClient final : public HttpClient {
public:
    PlacedHttpClient(HttpClient& client, Places& places) : client_(client), places_(places) {}
    HttpResponse send(const HttpRequest& request) override;

private:
    HttpClient& client_;
    Places& places_;
};

} // namespace consentgate::sys
