// Talking to a service the operator chose: one HTTP request, over verified TLS, in a time and size that are ours.
#pragma once

#include "consentgate/core/secret.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::sys {

struct WebQuestion {
    std::string method = "GET";
    std::string url;                                          // https, or http on a loopback address of this machine
    std::vector<std::pair<std::string, std::string>> headers; // Accept, Authorization …; Host and lengths are made here
    core::Secret body;
    std::string content_type;                                 // of the body; empty: there is none
};

struct WebAnswer {
    bool answered = false;        // false: no whole answer came; `why` says it in words for the log and the operator
    int status = 0;
    std::string content_type;     // as sent, lower case, without parameters
    std::string authenticate;     // WWW-Authenticate, all of them joined with ", "
    int retry_after_seconds = 0;  // 0: not said
    std::string location;         // of a redirect, which is never followed
    core::Secret body;            // at most 256 KiB; more is no whole answer
    std::string why;
};

// Throws nothing of its own.
class WebCaller {
public:
    virtual ~WebCaller() = default;
    virtual WebAnswer ask(const WebQuestion& question) = 0;
};

struct CallLimits {
    std::chrono::milliseconds total{10000}; // resolving, connecting, TLS and reading together
    std::string ca{};                       // PEM file of authorities besides the system's; empty: none
};

} // namespace consentgate::sys
