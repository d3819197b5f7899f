// The doctor's rules for what a web server does to calls beside asking the gate.
// spec: docs/requirements.md XB2, XB5, XB10, P19
#pragma once

#include "consentgate/app/doctor.h"

#include <cstddef>
#include <optional>

namespace consentgate::app {

// Names that only a lax web server lets through. They must not reach the gate, because then they
// reach the server behind, too, which may read them as the gate's own.
inline constexpr const char* lax_names[] = {"Consentgate_Doctor", "Consentgate!Doctor"};

// The answer to a call with such names.
Finding check_names(const core::GuardedResource& resource, const sys::HttpResponse& response);

// The answer to a call with the doctor's token, which the gate refuses as it refuses somebody who
// lacks a right: with 403 and its words. Anything else sends people to sign in for nothing, or lets
// them pass.
// spec: docs/requirements.md P19, N11
Finding check_refusal(const core::GuardedResource& resource, const sys::HttpResponse& response);

// in: server  what it calls itself
Finding check_http2(const std::string& base, const std::string& server, bool speaks_http2);

// The web server reports what became of calls, where its files say so.
// spec: docs/requirements.md M10
struct CallLogFacts {
    std::string socket;    // empty: there is none, as under mod_fcgid
    std::string problem{}; // of writing to it; empty: none
    bool services = false; // a guarded server uses people's accounts at a service
    // The last call with such an account, and the last report of one; absent: never.
    std::optional<core::Instant> last_call{}, last_report{};
};
Finding check_call_log(const CallLogFacts& facts);

// The longest token of a person at a service must fit into the gate's answer.
struct LongestToken {
    std::string service; // empty: there is no token
    std::size_t bytes = 0;
};
Finding check_token_length(const LongestToken& token, const std::string& server);

// Port 80 of a host that is asked at its default port of TLS; else empty.
std::string default_http_origin(const std::string& base);

} // namespace consentgate::app
