#include "consentgate/app/doctor.h"

#include "doctor_answers.h"
#include "machine.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/web/challenge.h"

namespace consentgate::app {
namespace {

using sys::HttpResponse;

constexpr const char* fix_reload = reload_command;
constexpr const char* fix_cache =
    "a cache or CDN must not keep what says `Cache-Control: no-store`: end it for /oauth/, "
    "/api/oauth/, /.well-known/oauth- and the guarded paths. Apache: `CacheDisable` for them; "
    "nginx: no `proxy_ignore_headers Cache-Control` beside proxy_cache";
constexpr const char* fix_method =
    "a redirect that keeps the method is 308, and clients should be given the https address. "
    "Apache: `[R=308,L]` in place of R=301; nginx: `return 308 https://$host$request_uri;`; "
    "lighttpd: `url.redirect-code = 308`";
constexpr const char* fix_documents =
    "let this machine reach the Internet by https and DNS, or set `client_documents_enabled = "
    "false`, so that clients register";
constexpr const char* fix_sign_in =
    "the web server must authenticate people at this path and hand their name on as REMOTE_USER. "
    "Apache: `Use ConsentgateVerifiedUsers`, and a section for ${consentgate_people} as "
    "apache/pages.conf has it; lighttpd: `include` of lighttpd/verified_users.conf after "
    "pages.conf; nginx: `include consentgate/verified_users.conf;` in place of pages.conf, with "
    "your lines in consentgate/people.conf";

constexpr const char* fix_body =
    "let bodies of 1 MiB through to consentgate, which limits them itself: nginx "
    "`client_max_body_size 1m`; Apache no smaller LimitRequestBody; lighttpd "
    "server.max-request-size";
constexpr const char* fix_preflight =
    "answers to OPTIONS are consentgate's, and so are the headers Access-Control-…: no other "
    "rule of the site may answer them or set these headers";
// No `Redirect`: Apache proxies a mounted path before it obeys one.
constexpr const char* fix_tls =
    "send everybody to https there. Apache: `RewriteEngine On` and "
    "`RewriteRule ^ https://HOST%{REQUEST_URI} [R=308,L]` in <VirtualHost *:80>; "
    "nginx: `return 308 https://$host$request_uri;`; lighttpd: `url.redirect`, and "
    "`url.redirect-code = 308`";
constexpr const char* fix_addresses =
    "let the web server take the caller's address from the proxy in front of it: mod_remoteip, "
    "set_real_ip_from, mod_extforward (docs/operating.md, Addresses of callers)";
constexpr core::Span max_skew{30};

} // namespace

Finding check_document(
    const std::string& url, const HttpResponse& response, const std::string& expected) {
    if (auto silent = find_silence(url, response)) return *silent;
    if (auto lost = find_lost_https(url, response)) return *lost;
    if (response.status == 200 && response.body.reveal() == expected)
        return {Verdict::ok, url + " is ours"};
    if (names_server_error(response))
        return {Verdict::broken, url + ": " + summary(response), fix_pages, Cause::pages_fail};
    if (response.status != 200)
        return {
            Verdict::broken,
            url + ": " + summary(response) + "; clients cannot find out where to sign in",
            fix_mount, Cause::mount};
    const auto here = core::parse_json_object(expected);
    const auto there = core::parse_json_object(response.body.reveal());
    const auto issuer = here ? here->text("issuer") : std::nullopt;
    const auto seen = there ? there->text("issuer") : std::nullopt;
    if (issuer && seen && *issuer != *seen)
        return {
            Verdict::broken,
            url + " is of the issuer " + *seen + ", and the configuration here says " + *issuer,
            std::string("the servers read the configuration when they start: ") + fix_reload +
                "; if this address is another server's, ask yours with --url",
            Cause::configuration};
    const bool same_kind =
        there && here &&
        (issuer ? seen.has_value() : there->text("resource") == here->text("resource"));
    if (same_kind)
        return {
            Verdict::broken, url + " is of another configuration than the one here", fix_reload,
            Cause::configuration};
    return {Verdict::broken, url + " is answered by something else", fix_mount, Cause::mount};
}

Finding check_resource_document(
    const core::GuardedResource& resource, const std::string& url, const HttpResponse& response,
    const std::string& expected) {
    // Only the pages say so; a web server that does not ask them says it in other words.
    const bool unknown = response.status == 404 && response.content_type == "application/json" &&
                         holds(response.body.reveal(), "\"not_found\"");
    auto finding = check_document(url, response, expected);
    if (unknown)
        finding = {
            Verdict::broken,
            "the servers do not know " + resource.url + " yet: it was added after their start",
            fix_reload, Cause::reload};
    finding.path = resource.url;
    return finding;
}

Finding check_issuer(const std::string& base, const std::string& issuer) {
    const auto uri = core::split_uri(base).value_or(core::UriParts{});
    const auto host = std::string(uri.host);
    const bool numeric =
        host.find_first_not_of("0123456789.") == std::string::npos || host.starts_with('[');
    // Another way to the one server, which only the operator takes.
    if (base == core::origin_of(issuer) || uri.scheme != "https" || numeric ||
        core::is_loopback_host(host))
        return {Verdict::ok, "clients are sent to " + issuer};
    return {
        Verdict::broken,
        "the issuer is " + issuer + ", so clients that are given " + base + " cannot sign in",
        "give people addresses at " + core::origin_of(issuer) + "; or `issuer = " + base +
            "` and resources there, and a reload",
        Cause::configuration};
}

Finding check_false_secret(const std::string& url, const HttpResponse& response) {
    if (auto silent = find_silence(url, response)) return *silent;
    if (response.status == 401 && holds(response.authenticate, "Basic"))
        return {Verdict::ok, url + " reads Authorization"};
    if (names_server_error(response))
        return {Verdict::broken, url + ": " + summary(response), fix_pages, Cause::pages_fail};
    if (response.status == 404)
        return {Verdict::broken, url + ": " + summary(response), fix_mount, Cause::mount};
    return {
        Verdict::broken, url + " does not see Authorization (" + summary(response) + ")",
        fix_authorization, Cause::authorization};
}

Finding check_cached(
    const std::string& url, const HttpResponse& first, const HttpResponse& second) {
    const bool kept = holds(core::lower_ascii(second.cache_control), "no-store") &&
                      core::parse_number(second.age).value_or(0) > 0;
    // A page about an error has a number of its own each time.
    const auto& body = second.body.reveal();
    const bool same = first.answered && second.answered && body == first.body.reveal() &&
                      holds(body, "class=\"quiet event\"");
    if (!kept && !same) return {Verdict::ok, "nothing answers in place of consentgate"};
    return {
        Verdict::broken,
        url + " is answered from a cache on the way, which gives one person what is another's",
        fix_cache, Cause::cached};
}

Finding check_client_document(const std::string& url, const HttpResponse& response) {
    if (response.answered && response.status == 200)
        return {Verdict::ok, "documents of clients can be fetched, as " + url};
    return {
        Verdict::note,
        "clients that describe themselves in a document cannot sign in: " + url + ": " +
            summary(response),
        fix_documents, Cause::documents};
}

Finding check_sign_in(
    const std::string& url, const std::string& attempt, const HttpResponse& response) {
    const auto what = url + " " + attempt;
    if (auto silent = find_silence(what, response)) return *silent;
    if (is_success(response))
        return {
            Verdict::broken, "ANYONE can be any user at " + what,
            std::string(fix_sign_in) +
                "; REMOTE_USER only beside auth_basic, which proves the name",
            Cause::open_pages};
    if (response.status == 401 || (response.status >= 300 && response.status < 400))
        return {Verdict::ok, what + " is sent to sign in"};
    if (response.status == 403)
        return {
            Verdict::broken,
            what + ": answered 403; the web server signs nobody in there, or says no name, so "
                   "nobody can use the pages",
            fix_sign_in, Cause::nobody};
    if (names_server_error(response))
        return {Verdict::broken, what + ": " + summary(response), fix_pages, Cause::pages_fail};
    return {
        Verdict::broken, what + ": " + summary(response) + " instead of a sign-in", fix_mount,
        Cause::mount};
}

Finding check_callers(const usecase::Callers& seen) {
    constexpr std::size_t enough = 5, enough_public = 20; // clients, to say something about callers
    const auto all = "all " + std::to_string(seen.clients) +
                     " clients that registered themselves and were not used yet came from one";
    if (seen.callers == 1 && !seen.any_public && seen.clients >= enough)
        return {
            Verdict::note, all + " private address, so the limits for one caller meet everybody",
            fix_addresses};
    if (seen.callers == 1 && seen.clients >= enough_public)
        return {
            Verdict::note, all + " address; if a load balancer or CDN is in front, that is its own",
            fix_addresses};
    return {Verdict::ok, "callers have addresses of their own"};
}

Finding check_clock(const std::string& base, const HttpResponse& response, core::Instant here) {
    if (!response.date)
        return {Verdict::ok, base + " sends no Date, so the clocks cannot be compared"};
    const auto skew = here - *response.date;
    if (skew <= max_skew && skew >= -max_skew)
        return {Verdict::ok, "the clock here is the clock of " + base};
    const auto seconds = std::to_string(skew < core::Span(0) ? -skew.count() : skew.count());
    return {
        Verdict::broken,
        "the clock here is " + seconds +
            (skew < core::Span(0) ? " seconds behind " : " seconds ahead of ") + base,
        "let every machine take the time from the network: timedatectl set-ntp true", Cause::clock};
}

Finding check_preflight(const std::string& url, const HttpResponse& response, Verdict otherwise) {
    if (auto silent = find_silence(url, response)) return *silent;
    const bool origin = response.access_control_allow_origin == "*";
    const bool headers =
        core::lower_ascii(response.access_control_allow_headers).find("mcp-protocol-version") !=
        std::string::npos;
    if (is_success(response) && origin && headers)
        return {Verdict::ok, url + " lets programs in a browser in"};
    const auto reason = !is_success(response) ? summary(response)
                        : !origin             ? "no Access-Control-Allow-Origin: *"
                                  : "Access-Control-Allow-Headers lacks MCP-Protocol-Version";
    return {
        otherwise, "programs in a browser cannot call " + url + " (" + reason + " to a preflight)",
        fix_preflight, names_server_error(response) ? Cause::pages_fail : Cause::preflight};
}

Finding check_without_tls(const std::string& url, const HttpResponse& response) {
    if (!response.answered) return {Verdict::ok, url + " is not served"};
    const bool redirects = response.status >= 300 && response.status < 400;
    if (redirects && core::lower_ascii(response.location).starts_with("https://"))
        return {Verdict::ok, url + " leads to https"};
    return {
        Verdict::broken,
        url + ": " + summary(response) +
            "; what people and programs send there, cookies and tokens too, can be read on the way",
        fix_tls, Cause::plain_http};
}

Finding check_redirect_method(const std::string& url, const HttpResponse& response) {
    const bool loses = response.status >= 301 && response.status <= 303;
    if (!response.answered || !loses || !response.location.starts_with("https:"))
        return {Verdict::ok, "no redirect to https makes GET of POST"};
    return {
        Verdict::note,
        "a program that is given " + url + " fails: the redirect to https (" +
            std::to_string(response.status) + ") makes GET of its POST",
        fix_method, Cause::redirect_method};
}

Finding check_small_body(const std::string& url, const HttpResponse& response) {
    if (response.status == 400 && response.body.reveal().find("\"error\"") != std::string::npos)
        return {Verdict::ok, url + " gets bodies up to our limit"};
    if (auto silent = find_silence(url, response)) return *silent;
    return {
        Verdict::broken,
        url + " with a body of 60 KiB: " + summary(response) + "; it does not reach consentgate",
        fix_body, names_server_error(response) ? Cause::pages_fail : Cause::body};
}

Finding check_large_body(const std::string& url, const HttpResponse& response) {
    if (response.status == 413 && response.body.reveal().find("64 KiB") != std::string::npos)
        return {Verdict::ok, url + " refuses larger ones itself"};
    if (auto silent = find_silence(url, response)) return *silent;
    return {
        Verdict::broken,
        url + " with a body of 65 KiB: " + summary(response) +
            ", and not by consentgate, so clients cannot read why",
        fix_body, names_server_error(response) ? Cause::pages_fail : Cause::body};
}

} // namespace consentgate::app
