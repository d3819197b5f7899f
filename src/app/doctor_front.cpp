#include "consentgate/app/doctor_front.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/web/gate.h"

#include <algorithm>
#include <array>

namespace consentgate::app {
namespace {

using sys::HttpResponse;

constexpr const char* fix_names =
    "nginx: neither `ignore_invalid_headers off` nor `underscores_in_headers on`; lighttpd: "
    "`magnet.attract-raw-url-to := ( var.consentgate_lua + \"/gate.lua\" )` as in "
    "lighttpd/protect.conf";
constexpr const char* fix_soft_no =
    "shared-hosting/gate.htaccess refuses such a call by `Require env CONSENTGATE_PASSED`, beside "
    "which no other Require may stand, and by `RewriteRule ^ - [F]`; one must be there";
constexpr const char* fix_words =
    "take the files for your web server from conf/ anew (nginx/gate.conf and nginx/protect.conf, "
    "or shared-hosting/gate.htaccess), and reload the gate";
constexpr const char* fix_http2 =
    "`server.feature-flags := ( \"server.h2proto\" => \"disable\" )` at the top level of "
    "lighttpd's configuration, outside of every condition, as in lighttpd/modules.conf (`+=` fails "
    "where the key was given before, as in Debian's lighttpd.conf); or "
    "lighttpd 1.4.77. What only a proxy before lighttpd speaks does no harm: ask lighttpd itself "
    "with --url";
constexpr const char* fix_call_log =
    "take the files for your web server from conf/ anew: nginx writes the log of calls to "
    "call_log_socket (nginx/protect.conf), Apache and lighttpd pipe it to `consentgate-admin "
    "call-log` (apache/gate.conf, lighttpd/protect.conf)";
constexpr const char* fix_call_socket =
    "the gate makes call_log_socket when it starts, and logs event=call_log_failed when it cannot; "
    "its folder must be writable for the gate";
constexpr core::Span report_within{300}; // a stream is reported when it ends
constexpr const char* fix_length =
    "the service can say how to get shorter tokens, fewer scopes for example; nginx and lighttpd "
    "take longer ones than Apache";

// Each web server takes so long a line with the shipped files.
struct Limit {
    std::string_view server;
    std::size_t bytes;
};
constexpr std::array limits{Limit{"apache", 8100}, Limit{"lighttpd", 60000}, Limit{"nginx", 64000}};

// Whether that lighttpd loses the bodies of HTTP/2; one that hides its version may.
bool loses_bodies(const std::string& server) {
    constexpr std::string_view name = "lighttpd";
    constexpr std::string_view release = "/1.4.";
    if (!core::lower_ascii(server).starts_with(name)) return false;
    const auto version = std::string_view(server).substr(name.size());
    if (!version.starts_with(release)) return !version.starts_with("/");
    const auto number = version.substr(release.size());
    const auto end = std::min(number.find_first_not_of("0123456789"), number.size());
    return core::parse_number(number.substr(0, end)).value_or(0) < 77;
}

} // namespace

Finding check_names(const core::GuardedResource& resource, const HttpResponse& response) {
    const bool shown = response.authenticate.find(web::lax_names_message) != std::string::npos ||
                       response.body.reveal().find(web::lax_names_message) != std::string::npos;
    if (!shown) return {Verdict::ok, resource.url + " takes no other spelling of our headers"};
    return {
        Verdict::broken,
        "a caller of " + resource.url +
            " can be anybody to some servers: names like Consentgate_User reach the server behind",
        fix_names, Cause::names, resource.url};
}

Finding check_refusal(const core::GuardedResource& resource, const HttpResponse& response) {
    const auto& url = resource.url;
    if (response.answered && response.status >= 200 && response.status < 300)
        return {
            Verdict::broken, "people who lack a right for " + url + " can call it all the same",
            fix_soft_no, Cause::refusal, url};
    const bool words = response.body.reveal().find(usecase::probe_message) != std::string::npos;
    if (response.status == 403 && words && response.authenticate.empty())
        return {Verdict::ok, url + " tells people what they lack"};
    return {
        Verdict::note,
        "people who lack a right for " + url + " do not learn it (" +
            (response.answered ? "answered " + std::to_string(response.status) +
                                     (words ? "" : " without the gate's words")
                               : "no answer: " + response.reason) +
            ")",
        fix_words, Cause::refusal, url};
}

Finding check_http2(const std::string& base, const std::string& server, bool speaks_http2) {
    if (!speaks_http2) return {Verdict::ok, base + " speaks HTTP/1.1 alone"};
    if (!loses_bodies(server)) return {Verdict::ok, base + " speaks HTTP/2"};
    return {
        Verdict::broken,
        base + " speaks HTTP/2, and " + server +
            " gives the body of such a call to the gate, so that the server behind waits for ever",
        fix_http2, Cause::http2};
}

Finding check_call_log(const CallLogFacts& facts) {
    if (!facts.services)
        return {Verdict::ok, "no guarded server uses accounts at services, so no call is reported"};
    if (facts.socket.empty())
        return {
            Verdict::ok,
            "the web server reports no calls; a client that comes back early shows what a "
            "service refused"};
    if (!facts.problem.empty())
        return {
            Verdict::note,
            "the gate does not hear what becomes of calls: " + facts.socket + ": " + facts.problem,
            fix_call_socket};
    const bool silent = facts.last_call && (!facts.last_report ||
                                            *facts.last_report + report_within < *facts.last_call);
    if (silent)
        return {
            Verdict::note,
            "the gate let calls pass, and the web server does not report what became of them",
            fix_call_log};
    return {
        Verdict::ok, facts.last_report ? "the web server reports what becomes of calls"
                                       : "the gate listens for what becomes of calls"};
}

Finding check_token_length(const LongestToken& token, const std::string& server) {
    const auto what = "the longest token of a person, at " + token.service + ", has " +
                      std::to_string(token.bytes) + " bytes";
    const auto name = core::lower_ascii(server);
    constexpr std::size_t around = 64; // its line's name, and the scheme
    Verdict verdict = Verdict::ok;
    std::string refusing;
    for (const auto& limit : limits) {
        if (token.bytes + around <= limit.bytes) continue;
        refusing += (refusing.empty() ? "" : ", ") + std::string(limit.server);
        verdict =
            std::max(verdict, name.starts_with(limit.server) ? Verdict::broken : Verdict::note);
    }
    if (token.service.empty() || refusing.empty())
        return {Verdict::ok, "every web server takes the tokens of people at services"};
    return {verdict, what + ", and calls with it are refused behind: " + refusing, fix_length};
}

std::string default_http_origin(const std::string& base) {
    const auto uri = core::split_uri(base).value_or(core::UriParts{});
    const bool defaults = base.starts_with("https:") && (uri.port.empty() || uri.port == "443");
    return defaults ? "http://" + std::string(uri.host) : std::string();
}

} // namespace consentgate::app
