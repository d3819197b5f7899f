// The rules of `consentgate-admin doctor`: what an answer of the web server says about its
// configuration, and which line to change. Asking is admin_doctor.cpp's part.
#pragma once

#include "consentgate/app/finding.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/upstream/service.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/usecase/clients.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app {

// A document at a well-known address must be the very text that we publish. One that is ours in
// other words is of another configuration than the file's, which its issuer tells.
Finding check_document(
    const std::string& url, const sys::HttpResponse& response, const std::string& expected);

// The document of a resource, which the workers learn of when they are reloaded.
Finding check_resource_document(
    const core::GuardedResource& resource, const std::string& url,
    const sys::HttpResponse& response, const std::string& expected);

// Clients follow the issuer's address, so the address that people are given must be that.
// in: base  the origin that is asked
Finding check_issuer(const std::string& base, const std::string& issuer);

// Whether a site answers every address with a page of its own, as one with a front controller does.
// in: elsewhere  what the same call gets where nothing is
bool is_page_of_site(const sys::HttpResponse& response, const sys::HttpResponse& elsewhere);

// A guarded server that the web server does not have yet: nobody is let in, and nobody is served.
// in:  elsewhere  as above
// out: absent: something answers
std::optional<Finding> find_unserved(
    const core::GuardedResource& resource, const sys::HttpResponse& response,
    const sys::HttpResponse& elsewhere);

// A call without a token must be refused with our challenge.
Finding check_without_token(
    const std::string& method, const core::GuardedResource& resource,
    const sys::HttpResponse& response, const core::Policy& policy);

// A call with an invented token must be refused as invalid_token, which shows that it was read.
Finding check_false_token(const core::GuardedResource& resource, const sys::HttpResponse& response);

// Another spelling of a resource's path must not reach the server behind.
// in: url  as it was written; elsewhere: as above
Finding check_spelling(
    const core::GuardedResource& resource, const std::string& url,
    const sys::HttpResponse& response, const sys::HttpResponse& elsewhere);

// Whether a call without a token came to a server behind: it worked, or the answer is none that the
// gate or a web server gives by itself.
// spec: docs/requirements_from_use.md XF3
bool reached_server(const sys::HttpResponse& response);

// The call that an MCP client begins with.
inline constexpr const char* initialize_call =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",)"
    R"("capabilities":{},"clientInfo":{"name":"consentgate doctor","version":"1"}}})";
inline constexpr const char* mcp_accept = "application/json, text/event-stream";

// The same call with a session of the doctor's own.
Finding check_call(const core::GuardedResource& resource, const sys::HttpResponse& response);

// A stream must begin at once. in: direct  what the server behind itself answered
Finding check_stream(
    const core::GuardedResource& resource, const sys::HttpResponse& through,
    const sys::HttpResponse& direct);

// Nothing on the way may answer in our place.
// in: first, second  answers of a page that is another one each time
Finding check_cached(
    const std::string& url, const sys::HttpResponse& first, const sys::HttpResponse& second);

// A client describes itself in a document that this server must fetch.
Finding check_client_document(const std::string& url, const sys::HttpResponse& response);

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

// A program that calls the address without TLS must be sent on with its method: 301 and 302 make
// GET of POST. in: response  to a POST there
Finding check_redirect_method(const std::string& url, const sys::HttpResponse& response);

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
