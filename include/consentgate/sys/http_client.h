// Talking to a service the operator chose: one HTTP request, over verified TLS, in a time and size
// that are ours.
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/sys/document_fetcher.h" // Resolver

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::sys {

struct HttpRequest {
    std::string method = "GET";
    std::string url; // https, or http where that is allowed
    std::vector<std::pair<std::string, std::string>>
        headers; // Accept, Authorization …; Host and lengths are made here
    core::Secret body;
    std::string content_type; // of the body; empty: there is none
    bool nothing_secret =
        false; // http may be asked anywhere, and not on loopback addresses of this machine only
};

struct HttpResponse {
    bool answered =
        false; // false: no whole answer came; `why` says it in words for the log and the operator
    int status = 0;
    std::string content_type;    // as sent, lower case, without parameters
    std::string authenticate;    // WWW-Authenticate, all of them joined with ", "
    int retry_after_seconds = 0; // 0: not said, or as a date
    std::string location;        // of a redirect, which is never followed
    core::Secret body;           // at most 256 KiB; more is no whole answer
    std::string reason;
    std::optional<core::Instant> date{};         // when it was made, by the clock there
    std::string allow_origin{}, allow_headers{}; // Access-Control-Allow-…, as sent
};

// Throws nothing of its own.
class HttpClient {
public:
    virtual ~HttpClient() = default;
    virtual HttpResponse ask(const HttpRequest& question) = 0;
};

struct HttpLimits {
    std::chrono::milliseconds total{10000}; // resolving, connecting, TLS and reading together
    std::string ca{}; // PEM file of authorities besides the system's; empty: none
};

// Poco's HTTPS, one connection for each question. A certificate that the system's authorities (and
// `ca`) do not vouch for is no answer; so is http to anything but a loopback host. No proxy of the
// environment is asked.
class PocoHttpClient final : public HttpClient {
public:
    // in: resolver  see document_fetcher.h
    explicit PocoHttpClient(HttpLimits limits, Resolver resolver = resolve_by_system);
    ~PocoHttpClient() override;

    HttpResponse ask(const HttpRequest& question) override;

private:
    struct Trust;
    struct Place;
    HttpResponse ask_there(
        const HttpRequest& question, const Place& place,
        std::chrono::steady_clock::time_point deadline);

    HttpLimits limits_;
    Resolver resolver_;
    std::unique_ptr<Trust> trust_; // made at the first https question
    std::shared_ptr<std::atomic<int>>
        lookups_; // running; shared with the threads that were left behind
};

} // namespace consentgate::sys
