// The rules of `consentgate-admin doctor`: what an answer of the web server says about its
// configuration, and which line to change. Asking is admin_doctor.cpp's part.
#pragma once

#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/upstream/service.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/usecase/clients.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app {

enum class Verdict { ok, note, broken }; // note: it works, but not for every client
std::string_view name_of(Verdict verdict);

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string what;  // for the operator, plain words
    std::string fix{}; // the line to change; empty when there is none
};

// A document at a well-known address must be the very text that we publish.
Finding check_document(
    const std::string& url, const sys::HttpResponse& response, const std::string& expected);

// A call without a token must be refused with our challenge.
Finding check_without_token(
    const std::string& method, const core::GuardedResource& resource,
    const sys::HttpResponse& response, const core::Policy& policy);

// A call with an invented token must be refused as invalid_token, which shows that it was read.
Finding check_false_token(const core::GuardedResource& resource, const sys::HttpResponse& response);

// Another spelling of a resource's path must not reach the server behind.
Finding check_spelling(const std::string& url, const sys::HttpResponse& response);

// A false client secret must be refused as such, which shows that Authorization arrives.
Finding check_false_secret(const std::string& url, const sys::HttpResponse& response);

// Where verified users are on, the web server must refuse a page without a sign-in, and with an
// invented name and password. in: attempt  which of them, in words
Finding check_sign_in(
    const std::string& url, const std::string& attempt, const sys::HttpResponse& response);

// Limits count by address, so callers must not all have one: that of a load balancer.
// spec: docs/requirements.md XD3
Finding check_callers(const usecase::Callers& seen);

// Sessions, codes and signed assertions expire by the clock, so ours must agree with the others'.
Finding check_clock(const std::string& base, const sys::HttpResponse& response, core::Instant here);

// The preflight by which a browser asks whether a program in it may call.
// in: otherwise  the verdict when it may not: broken at our own addresses, a note at a server
//                behind, where only programs in a browser lose something
Finding check_preflight(
    const std::string& url, const sys::HttpResponse& response, Verdict otherwise);

// Without TLS nothing may be served: a redirect to https, or no answer.
// in: url  begins with http:
Finding check_without_tls(const std::string& url, const sys::HttpResponse& response);

// A body just below our limit must reach us; we must refuse one above it ourselves, in the form
// that clients read.
Finding check_small_body(const std::string& url, const sys::HttpResponse& response);
Finding check_large_body(const std::string& url, const sys::HttpResponse& response);

// Requests that were refused because as many workers as allowed waited for others.
// in: metrics  the text of /metrics
Finding check_places(const std::string& metrics);

// The configuration lets somebody in. in: admission  with the keys that there are now
Finding check_admission(const core::Admission& admission);

// Living sessions that the configuration refuses. in: counts  of the refused ones alone
Finding check_shut_out(const std::vector<core::SessionCount>& counts);

// How far a stranger got at signing in.
struct StrangerWalk {
    enum class End {
        not_registered,  // registration refused them
        sent_to_sign_in, // the web server wants them to sign in
        asked_for_key,   // page 1 lets nobody on without a virtual key
        nobody_offered,  // page 1 has no way in
        refused,         // by another answer: `last`
        signed_in,       // with a session token, which was given back
    };
    End end = End::refused;
    bool named = false; // they typed a name
    sys::HttpResponse last{};
};
Finding check_stranger(
    const StrangerWalk& walk, const core::GuardedResource& resource, const core::Policy& policy);

// "3 user_id, 2 skipped"
std::string text_of(const std::vector<core::SessionCount>& counts);

// Services that send people back to one address can take each other's accounts (RFC 9700 section
// 4.4).
Finding check_callbacks(const std::vector<core::Service>& services);

// The secret of our client at a service ends: an idle worker should have renewed it, or the
// operator must. spec: docs/requirements.md XC8
Finding check_client_secret(const core::Service& service, core::Instant now);

// A service with plain API keys must refuse a wrong one. in: tells  whether it refused one
Finding check_keys(const core::Service& service, const core::Checked& tells);

} // namespace consentgate::app
