#include "consentgate/sys/http_client.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/sys/clock.h"
#include "http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Steady = std::chrono::steady_clock;

constexpr std::size_t max_answer_bytes = 256 * 1024;
constexpr int max_wait = 86400; // seconds, of a Retry-After

// 0 when nothing usable is said. spec: RFC 9110 section 10.2.3
int seconds_to_wait(const std::string& text) {
    int seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc::result_out_of_range) return max_wait;
    if (error == std::errc() && end == text.data() + text.size())
        return std::clamp(seconds, 0, max_wait);
    return 0; // the date form is not read: it would need both clocks to agree
}

void check_text(const std::string& text) {
    if (core::has_control(text))
        throw std::runtime_error("what would be sent holds a control character");
}

net::HTTPRequest make_request(
    const HttpRequest& question, const std::string& target, const std::string& authority) {
    net::HTTPRequest request(question.method, target, net::HTTPMessage::HTTP_1_1);
    request.set("Host", authority);
    request.set("User-Agent", "consentgate");
    request.set("Connection", "close");
    for (const auto& [name, value] : question.headers) {
        check_text(name);
        check_text(value);
        request.set(name, value);
    }
    if (!question.content_type.empty()) {
        request.setContentType(question.content_type);
        request.setContentLength(static_cast<std::streamsize>(question.body.reveal().size()));
    }
    return request;
}

core::Secret read_body(std::istream& stream, const net::HTTPResponse& response) {
    std::string body(max_answer_bytes + 1, '\0');
    stream.read(body.data(), static_cast<std::streamsize>(body.size()));
    body.resize(static_cast<std::size_t>(stream.gcount()));
    if (body.size() > max_answer_bytes)
        throw std::runtime_error("the answer is larger than 256 KiB");
    if (response.hasContentLength() &&
        static_cast<std::streamsize>(body.size()) != response.getContentLength())
        throw std::runtime_error("the answer was cut off");
    return core::Secret(std::move(body));
}

HttpResponse converse(
    const net::StreamSocket& socket, const HttpRequest& question, const std::string& target,
    const std::string& authority, Poco::Timespan time) {
    OneConnection session(socket);
    session.setTimeout(time);
    auto request = make_request(question, target, authority);
    session.sendRequest(request) << question.body.reveal() << std::flush;
    net::HTTPResponse response;
    auto& stream = session.receiveResponse(response);
    HttpResponse answer;
    answer.status = static_cast<int>(response.getStatus());
    const auto type = response.get("Content-Type", "");
    answer.content_type =
        core::lower_ascii(core::trim(std::string_view(type).substr(0, type.find(';'))));
    for (const auto& [name, value] : response) {
        if (core::same_ignoring_case(name, "WWW-Authenticate"))
            answer.authenticate += (answer.authenticate.empty() ? "" : ", ") + value;
    }
    answer.retry_after_seconds = seconds_to_wait(response.get("Retry-After", ""));
    answer.location = response.get("Location", "");
    answer.date = from_http_date(response.get("Date", ""));
    answer.allow_origin = response.get("Access-Control-Allow-Origin", "");
    answer.allow_headers = response.get("Access-Control-Allow-Headers", "");
    const bool bodiless = question.method == "HEAD" || answer.status == 204 || answer.status == 304;
    if (!bodiless) answer.body = read_body(stream, response);
    answer.answered = true;
    return answer;
}

} // namespace

// Where a question goes, taken from its URL.
struct PocoHttpClient::Place {
    bool secure = true;
    bool loopback = false; // by its name; its addresses must then be so too
    std::string host;      // of an IPv6 address without its brackets
    int port = 443;
    std::string authority, target;

    static Place of(const HttpRequest& question);
};

PocoHttpClient::Place PocoHttpClient::Place::of(const HttpRequest& question) {
    const auto parts = core::split_uri(question.url);
    if (!parts || !parts->hierarchical || parts->host.empty())
        throw std::runtime_error("that is not a URL");
    if (parts->has_userinfo) throw std::runtime_error("a URL must not carry a user name");
    if (parts->rest.find('#') != std::string_view::npos)
        throw std::runtime_error("a URL to ask must have no fragment");
    const auto scheme = core::lower_ascii(parts->scheme);
    Place place;
    place.secure = scheme == "https";
    place.loopback = core::is_loopback_host(parts->host);
    if (scheme != "https" && scheme != "http") throw std::runtime_error("only https can be asked");
    if (!place.secure && !place.loopback && !question.nothing_secret)
        throw std::runtime_error(
            "http is not encrypted; it is asked on 127.0.0.1, [::1] and localhost only");
    place.host = core::lower_ascii(parts->host);
    if (place.host.starts_with('[')) place.host = place.host.substr(1, place.host.size() - 2);
    place.port =
        parts->port.empty() ? (place.secure ? 443 : 80) : std::stoi(std::string(parts->port));
    place.authority =
        std::string(parts->host) + (parts->port.empty() ? "" : ":" + std::string(parts->port));
    place.target =
        parts->rest.starts_with('/') ? std::string(parts->rest) : "/" + std::string(parts->rest);
    return place;
}

struct PocoHttpClient::Trust {
    net::Context::Ptr context;
};

PocoHttpClient::PocoHttpClient(HttpLimits limits, Resolver resolver)
    : limits_(std::move(limits)),
      resolver_(std::move(resolver)),
      lookups_(std::make_shared<std::atomic<int>>(0)) {}

PocoHttpClient::~PocoHttpClient() = default;

HttpResponse PocoHttpClient::ask(const HttpRequest& question) {
    const auto deadline = Steady::now() + limits_.total;
    const auto late = [&] { return Steady::now() >= deadline; };
    HttpResponse failed;
    try {
        return ask_there(question, Place::of(question), deadline);
    } catch (const net::SSLException& error) {
        failed.reason =
            "its TLS certificate is not accepted, or TLS failed: " + error.displayText();
    } catch (const net::ConnectionRefusedException&) {
        failed.reason = "nothing listens there (connection refused)";
    } catch (const Poco::Exception& error) {
        failed.reason = error.displayText();
    } catch (const std::exception& error) {
        failed.reason = error.what();
    }
    if (late())
        failed.reason = "no whole answer within " + std::to_string(limits_.total.count()) + " ms";
    return failed;
}

HttpResponse PocoHttpClient::ask_there(
    const HttpRequest& question, const Place& place, Deadline deadline) {
    const auto addresses = resolve_in_time(resolver_, place.host, lookups_, deadline);
    // Whoever says "this machine" and means another one would be sent unencrypted what is not for
    // them.
    if (place.loopback &&
        !std::all_of(addresses.begin(), addresses.end(), core::is_loopback_address))
        throw std::runtime_error(place.host + " does not lead to this machine");
    auto socket = connect_to_one(addresses, place.port, deadline);
    const auto time = until(deadline);
    socket.setReceiveTimeout(time);
    socket.setSendTimeout(time);
    const Watchdog watchdog(socket.impl()->sockfd(), deadline);
    if (place.secure) {
        if (!trust_) trust_ = std::make_unique<Trust>(Trust{make_context(limits_.ca)});
        socket = net::SecureStreamSocket::attach(socket, place.host, trust_->context);
    }
    auto answer = converse(socket, question, place.target, place.authority, time);
    // What was cut off at the deadline can look whole.
    if (Steady::now() >= deadline) throw std::runtime_error("out of time");
    return answer;
}

} // namespace consentgate::sys
