#include "consentgate/sys/http_client.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/base/uri.h"
#include "http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Steady = std::chrono::steady_clock;

constexpr int max_retry_after = 86400; // seconds

// Where a request goes, taken from its URL.
struct Target {
    bool secure = true;
    bool names_this_machine = false; // by its host name; its addresses must then agree
    std::string host;                // an IPv6 address without its brackets
    int port = 443;
    std::string authority, path_and_query;
};

void check_scheme(const HttpRequest& request, const std::string& scheme, bool loopback) {
    if (scheme == "https") return;
    const bool by_stranger = request.addresses == AddressPolicy::public_only ||
                             request.addresses == AddressPolicy::loopback_only;
    if (scheme != "http" || by_stranger) throw NotAsked("only https can be asked");
    const bool allowed =
        request.allow_plain_http && request.addresses == AddressPolicy::operator_url;
    if (!loopback && !allowed)
        throw NotAsked("http is not encrypted; it is asked on 127.0.0.1, [::1] and localhost only");
}

// An IPv6 address loses its brackets.
std::string host_of(std::string_view url) {
    const auto parts = core::split_uri(url);
    auto host = core::lower_ascii(parts ? parts->host : "");
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

Target target_of(const HttpRequest& request) {
    const auto parts = core::split_uri(request.url);
    if (!parts || !parts->hierarchical || parts->host.empty()) throw NotAsked("that is not a URL");
    if (parts->has_userinfo) throw NotAsked("a URL must not carry a user name");
    if (parts->rest.find('#') != std::string_view::npos)
        throw NotAsked("a URL to ask must have no fragment");
    const auto scheme = core::lower_ascii(parts->scheme);
    Target target;
    target.secure = scheme == "https";
    target.names_this_machine = core::is_loopback_host(parts->host);
    check_scheme(request, scheme, target.names_this_machine);
    target.host = host_of(request.url);
    const auto port = std::string(parts->port);
    target.port = port.empty() ? (target.secure ? 443 : 80) : std::stoi(port);
    target.authority = std::string(parts->host) + (port.empty() ? "" : ":" + port);
    target.path_and_query = (parts->rest.starts_with('/') ? "" : "/") + std::string(parts->rest);
    return target;
}

using Addresses = std::vector<std::string>;

// A single forbidden address refuses them all.
// in:   look_up  resolves the host of the operator's URL; called only where that matters
// fail: throws NotAsked
void check_addresses(
    AddressPolicy policy, const Target& target, const Addresses& addresses,
    const std::function<Addresses()>& look_up) {
    const auto all = [&](bool (*allowed)(std::string_view)) {
        return std::all_of(addresses.begin(), addresses.end(), allowed);
    };
    // A name that claims this machine and leads to another one would receive, unencrypted, secrets
    // that are not meant for it.
    const bool lies = target.names_this_machine && !all(core::is_loopback_address);
    switch (policy) {
    case AddressPolicy::operator_url:
        if (lies) throw NotAsked(target.host + " does not lead to this machine");
        return;
    case AddressPolicy::named_by_service:
        if (lies) throw NotAsked(target.host + " does not lead to this machine");
        if (!all(core::is_public_address) && !core::may_be_named(addresses, look_up()))
            throw NotAsked(
                "the service names an address that is nearer to this machine than its own");
        return;
    case AddressPolicy::public_only:
        if (!all(core::is_public_address))
            throw NotAsked("the name has an address that is not public");
        return;
    case AddressPolicy::loopback_only:
        if (!all(core::is_loopback_address))
            throw NotAsked("the name has an address that is not of this machine");
        return;
    }
}

// spec: RFC 9110 section 10.2.3
int retry_after_seconds(const std::string& text, const std::optional<core::Instant>& date) {
    auto seconds = core::parse_number(text);
    const auto until_when = core::parse_http_date(text);
    if (!seconds && until_when && date) seconds = (*until_when - *date).count();
    return static_cast<int>(std::clamp<std::int64_t>(seconds.value_or(0), 0, max_retry_after));
}

void check_text(const std::string& text) {
    if (core::has_control(text)) throw NotAsked("what would be sent holds a control character");
}

net::HTTPRequest make_request(const HttpRequest& request, const Target& target) {
    check_text(request.target);
    const auto& line = request.target.empty() ? target.path_and_query : request.target;
    net::HTTPRequest made(request.method, line, net::HTTPMessage::HTTP_1_1);
    made.set("Host", target.authority);
    made.set("User-Agent", "consentgate");
    made.set("Connection", "close");
    for (const auto& [name, value] : request.headers) {
        check_text(name);
        check_text(value);
        made.set(name, value);
    }
    if (!request.content_type.empty()) {
        made.setContentType(request.content_type);
        made.setContentLength(static_cast<std::streamsize>(request.body.reveal().size()));
    }
    return made;
}

HttpResponse read_head(const net::HTTPResponse& from) {
    HttpResponse response;
    response.status = static_cast<int>(from.getStatus());
    const auto type = from.get("Content-Type", "");
    response.content_type =
        core::lower_ascii(core::trim(std::string_view(type).substr(0, type.find(';'))));
    for (const auto& [name, value] : from) {
        if (core::same_ignoring_case(name, "WWW-Authenticate"))
            response.authenticate += (response.authenticate.empty() ? "" : ", ") + value;
        if (core::same_ignoring_case(name, "Link"))
            response.link += (response.link.empty() ? "" : ", ") + value;
        if (core::same_ignoring_case(name, "Set-Cookie") && response.set_cookie.empty())
            response.set_cookie = value;
    }
    response.date = core::parse_http_date(from.get("Date", ""));
    response.retry_after_seconds = retry_after_seconds(from.get("Retry-After", ""), response.date);
    response.location = from.get("Location", "");
    response.access_control_allow_origin = from.get("Access-Control-Allow-Origin", "");
    response.access_control_allow_headers = from.get("Access-Control-Allow-Headers", "");
    response.cache_control = from.get("Cache-Control", "");
    response.age = from.get("Age", "");
    response.expires = from.get("Expires", "");
    response.server = from.get("Server", "");
    return response;
}

bool reads_body(const HttpRequest& request, int status) {
    if (request.head_only) return false;
    if (request.body_of_success_only && status != 200) return false;
    return request.method != "HEAD" && status != 204 && status != 304;
}

void read_body(
    std::istream& stream, const net::HTTPResponse& head, std::size_t max_bytes,
    HttpResponse& response) {
    std::string body(max_bytes + 1, '\0');
    stream.read(body.data(), static_cast<std::streamsize>(body.size()));
    body.resize(static_cast<std::size_t>(stream.gcount()));
    response.too_large = body.size() > max_bytes;
    response.cut_off = !response.too_large && head.hasContentLength() &&
                       static_cast<std::streamsize>(body.size()) != head.getContentLength();
    if (response.too_large)
        response.reason = "the answer is larger than " + std::to_string(max_bytes / 1024) + " KiB";
    if (response.cut_off) response.reason = "the answer was cut off";
    if (response.too_large || response.cut_off)
        response.cause = core::FailureCause::no_whole_answer;
    response.body = core::Secret(std::move(body));
}

HttpResponse converse(
    const net::StreamSocket& socket, const HttpRequest& request, const Target& target,
    Poco::Timespan time) {
    OneConnection session(socket);
    session.setTimeout(time);
    auto sent = make_request(request, target);
    session.sendRequest(sent) << request.body.reveal() << std::flush;
    net::HTTPResponse head;
    auto& stream = session.receiveResponse(head);
    auto response = read_head(head);
    if (reads_body(request, response.status))
        read_body(stream, head, request.max_body_bytes, response);
    response.answered = !response.too_large && !response.cut_off;
    return response;
}

HttpResponse failed_by(core::FailureCause cause, std::string reason) {
    HttpResponse failed;
    failed.cause = cause;
    failed.reason = std::move(reason);
    failed.unresolved = cause == core::FailureCause::name_not_found;
    return failed;
}

HttpResponse describe_failure(const std::exception_ptr& failure) {
    using core::FailureCause;
    try {
        std::rethrow_exception(failure);
    } catch (const TlsFailure& error) {
        return failed_by(error.cause, error.what());
    } catch (const net::SSLException& error) {
        return failed_by(FailureCause::tls_failed, "TLS failed: " + error.displayText());
    } catch (const net::ConnectionRefusedException&) {
        return failed_by(
            FailureCause::connection_refused, "nothing listens there (connection refused)");
    } catch (const NameNotResolved& error) {
        return failed_by(FailureCause::name_not_found, error.what());
    } catch (const NotAsked& error) {
        return failed_by(FailureCause::not_asked, error.what());
    } catch (const Poco::Exception& error) {
        return failed_by(FailureCause::unreachable, error.displayText());
    } catch (const std::exception& error) {
        return failed_by(FailureCause::unreachable, error.what());
    }
}

} // namespace

struct PocoHttpClient::State {
    Lookups lookups = std::make_shared<std::atomic<int>>(0);
    net::Context::Ptr system_trust, operator_trust; // made at the first https request

    const net::Context::Ptr& trust(AddressPolicy policy, const std::string& ca) {
        const bool with_ca = policy != AddressPolicy::public_only && !ca.empty();
        auto& context = with_ca ? operator_trust : system_trust;
        if (!context) context = make_context(with_ca ? ca : "");
        return context;
    }

    // fail: throws Poco::Exception, std::runtime_error
    HttpResponse send(
        const HttpRequest& request, const HttpLimits& limits, const Resolver& resolver,
        Deadline deadline) {
        const auto target = target_of(request);
        const auto look_up = [&](const std::string& host) {
            return resolve_in_time(resolver, host, lookups, deadline);
        };
        const auto addresses = look_up(target.host);
        check_addresses(request.addresses, target, addresses, [&] {
            return look_up(host_of(request.operator_url));
        });
        auto socket = connect_to_one(addresses, target.port, deadline);
        const auto time = until(deadline);
        socket.setReceiveTimeout(time);
        socket.setSendTimeout(time);
        const Watchdog watchdog(socket.impl()->sockfd(), deadline);
        if (target.secure)
            socket = secure(socket, target.host, trust(request.addresses, limits.ca));
        auto response = converse(socket, request, target, time);
        // A response that the deadline cut off can look whole.
        if (Steady::now() >= deadline) throw std::runtime_error("out of time");
        return response;
    }
};

PocoHttpClient::PocoHttpClient(HttpLimits limits, Resolver resolver)
    : limits_(std::move(limits)),
      resolver_(std::move(resolver)),
      state_(std::make_unique<State>()) {}

PocoHttpClient::~PocoHttpClient() = default;

HttpResponse PocoHttpClient::send(const HttpRequest& request) {
    const auto begun = Steady::now();
    const auto deadline =
        std::min(begun + limits_.total, request.deadline.value_or(Deadline::max()));
    try {
        return state_->send(request, limits_, resolver_, deadline);
    } catch (...) {
        auto failed = describe_failure(std::current_exception());
        if (Steady::now() < deadline) return failed;
        const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - begun);
        failed.timed_out = true;
        failed.cause = core::FailureCause::timeout;
        failed.reason = "no whole answer within " + std::to_string(time.count()) + " ms";
        return failed;
    }
}

HttpResponse PlacedHttpClient::send(const HttpRequest& request) {
    const auto place = places_.enter(request.purpose.kind(), place_target(request.url));
    if (place) return client_.send(request);
    HttpResponse refused;
    refused.no_place = true;
    refused.cause = core::FailureCause::not_asked;
    refused.reason = "too many workers wait for others";
    return refused;
}

} // namespace consentgate::sys
