// What a server says to somebody from outside, judged: is it wired as it must be, and if not, which
// line is to change.
#pragma once

#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/policy.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

enum class Verdict { ok, note, broken }; // note: it works, but not all that could
std::string_view name_of(Verdict verdict);

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string what; // for the operator, plain words
    std::string fix;  // what to do about it; empty when there is nothing
};

// One answer, as it came.
struct HttpAnswer {
    bool answered = false;
    int status = 0;
    std::string authenticate; // WWW-Authenticate
    std::string location;
    std::string body;
    std::string reason;                          // there was no answer
    std::optional<Instant> date{};               // by the clock there
    std::string allow_origin{}, allow_headers{}; // Access-Control-Allow-…
};

// A document at a well-known address must be the very text that we publish.
Finding check_document(
    const std::string& url, const HttpAnswer& heard, const std::string& expected);

// A call without a token must be turned away, with our challenge.
Finding check_without_token(
    const std::string& method, const GuardedResource& resource, const HttpAnswer& heard,
    const Policy& policy);
// A call with a made-up token must be told that it is not valid: so it was read.
Finding check_false_token(const GuardedResource& resource, const HttpAnswer& heard);
// Another spelling of a resource's path must not be a way around.
Finding check_spelling(const std::string& url, const HttpAnswer& heard);
// A false client secret must be refused as such: so Authorization reaches the pages.
Finding check_false_secret(const std::string& url, const HttpAnswer& heard);
// Where verified users are on, a page without a sign-in, or with a made-up name and password, must
// be the web server's to refuse.
Finding check_sign_in(const std::string& url, const std::string& as_whom, const HttpAnswer& heard);

// Sessions, codes and signed assertions end by the clock, so that it must be the one that everybody
// else has.
Finding check_clock(const std::string& base, const HttpAnswer& heard, Instant here);
// A preflight by which a browser asks whether a program in it may call: at an address of ours it
// must pass; at a server behind, where only programs in a browser lose something, it should.
Finding check_preflight(const std::string& url, const HttpAnswer& heard, Verdict otherwise);
// Without TLS nothing may be served: whoever comes that way is sent to https, or finds nobody.
// in: url  begins with http:
Finding check_without_tls(const std::string& url, const HttpAnswer& heard);
// A body just below our limit must reach us, and one above it must be refused by us, in the shape
// that clients read.
Finding check_small_body(const std::string& url, const HttpAnswer& heard);
Finding check_large_body(const std::string& url, const HttpAnswer& heard);

} // namespace consentgate::core
