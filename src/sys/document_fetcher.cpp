#include "consentgate/sys/document_fetcher.h"

#include "consentgate/core/base/address.h"
#include "http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/SecureStreamSocket.h>

#include <algorithm>
#include <stdexcept>

namespace consentgate::sys {
namespace {

namespace net = Poco::Net;
using Steady = std::chrono::steady_clock;

core::DocumentAnswer ask(
    const net::StreamSocket& socket, const core::DocumentUrl& url, Poco::Timespan time) {
    OneConnection session(socket);
    session.setTimeout(time);
    net::HTTPRequest request(net::HTTPRequest::HTTP_GET, url.target, net::HTTPMessage::HTTP_1_1);
    request.set("Host", url.authority());
    request.set("Accept", "application/json");
    request.set("User-Agent", "consentgate");
    request.set("Connection", "close");
    session.sendRequest(request);
    net::HTTPResponse response;
    auto& body = session.receiveResponse(response);
    core::DocumentAnswer answer{
        static_cast<int>(response.getStatus()),
        response.get("Content-Type", ""),
        {},
        false,
        {response.get("Cache-Control", ""), response.get("Age", ""), response.get("Expires", "")}};
    if (answer.status != 200) return answer;
    answer.body.resize(url.max_bytes + 1);
    body.read(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
    answer.body.resize(static_cast<std::size_t>(body.gcount()));
    answer.too_large = answer.body.size() > url.max_bytes;
    return answer;
}

struct Leave {
    FetchLimiter& gate;
    const FetchLimiter::Place& place;
    ~Leave() { gate.leave(place); }
};

} // namespace

struct GuardedFetcher::Trust {
    net::Context::Ptr everywhere, at_test_hosts;
};

GuardedFetcher::GuardedFetcher(
    FetchLimiter& gate, RateLimiter& rates, FetchLimits limits, Resolver resolver)
    : gate_(gate),
      rates_(rates),
      limits_(std::move(limits)),
      resolver_(std::move(resolver)),
      lookups_(std::make_shared<std::atomic<int>>(0)) {}

GuardedFetcher::~GuardedFetcher() = default;

Fetched GuardedFetcher::fetch(
    const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) {
    const auto deadline = Steady::now() + limits_.total;
    const auto place = gate_.enter(url.id.text, limits_.at_once, deadline);
    if (place.entry == FetchLimiter::Entry::waited) return {Fetched::Outcome::look_again};
    if (place.entry == FetchLimiter::Entry::full)
        return {Fetched::Outcome::busy, {}, 2, "as many documents as may be are being fetched"};
    const Leave leave{gate_, place};
    if (!turn.still_needed()) return {Fetched::Outcome::look_again};
    auto fetched = fetch_in_turn(url, now, deadline);
    if (fetched.outcome == Fetched::Outcome::answered) turn.keep(fetched.answer);
    return fetched;
}

Fetched GuardedFetcher::fetch_in_turn(
    const core::DocumentUrl& url, core::Instant now, FetchLimiter::Time deadline) {
    Fetched fetched;
    try {
        int wait = rates_.admit("document host", url.host, limits_.per_host_per_minute, now);
        if (wait == 0) wait = rates_.admit("document", "", limits_.per_minute, now);
        if (wait > 0)
            return {Fetched::Outcome::busy, {}, wait, "too many documents in this minute"};
        return fetch_admitted(url, deadline);
    } catch (const Poco::Exception& error) {
        fetched.reason = error.displayText();
    } catch (const std::exception& error) {
        fetched.reason = error.what();
    }
    return fetched;
}

Fetched GuardedFetcher::fetch_admitted(const core::DocumentUrl& url, FetchLimiter::Time deadline) {
    const auto addresses = allowed_addresses(url, deadline);
    if (!trust_) {
        const auto defaults = make_context("");
        trust_ = std::make_unique<Trust>(
            Trust{defaults, limits_.test_ca.empty() ? defaults : make_context(limits_.test_ca)});
    }
    auto plain = connect_to_one(addresses, url.port, deadline);
    const auto time = until(deadline);
    plain.setReceiveTimeout(time);
    plain.setSendTimeout(time);
    const Watchdog watchdog(plain.impl()->sockfd(), deadline);
    const auto secure = net::SecureStreamSocket::attach(
        plain, url.host, url.test_host ? trust_->at_test_hosts : trust_->everywhere);
    Fetched fetched{Fetched::Outcome::answered, ask(secure, url, time)};
    // What was cut off at the deadline can look whole.
    if (Steady::now() >= deadline) throw std::runtime_error("out of time");
    return fetched;
}

// Resolves once. One address that is not public spoils them all: an honest host has none, and which
// of them a connection would meet is not for the owner of the name to choose.
std::vector<std::string> GuardedFetcher::allowed_addresses(
    const core::DocumentUrl& url, FetchLimiter::Time deadline) {
    auto addresses = resolve_in_time(resolver_, url.host, lookups_, deadline);
    const auto allowed = url.test_host ? core::is_loopback_address : core::is_public_address;
    if (!std::all_of(addresses.begin(), addresses.end(), allowed))
        throw std::runtime_error("the name has an address that is not public");
    return addresses;
}

} // namespace consentgate::sys
