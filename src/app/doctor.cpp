#include "consentgate/app/doctor.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/upstream/registration_renewal.h"
#include "consentgate/web/challenge.h"

namespace consentgate::app {
namespace {

using sys::HttpResponse;

std::string summary(const HttpResponse& response) {
    if (!response.answered) return "no answer: " + response.reason;
    return "answered " + std::to_string(response.status) +
           (response.location.empty() ? "" : ", to " + response.location);
}

bool is_success(const HttpResponse& response) {
    return response.answered && response.status >= 200 && response.status < 300;
}

constexpr const char* fix_guard =
    "nothing asks the gate before the server behind. Apache: `Use ConsentgateProtect` for this "
    "path, and no other ProxyPass for it; lighttpd: mod_fastcgi before "
    "mod_proxy in server.modules, and the block of lighttpd/gate.conf for this path; nginx: "
    "`include consentgate/protect.conf;` in its location";
constexpr const char* fix_authorization =
    "the web server keeps Authorization to itself. Apache: `CGIPassAuth On` for this path "
    "(apache/pages.conf, apache/gate.conf); nginx: no `fastcgi_pass_request_headers off`";
constexpr const char* fix_mount =
    "requests to this path must reach consentgate before the site's own files and catch-alls: "
    "see pages.conf of your web server's folder in conf/";
constexpr const char* fix_sign_in =
    "the web server must authenticate people at this path and hand their name on as "
    "REMOTE_USER: the lines for verified users in pages.conf of your web server's folder in conf/";

constexpr const char* fix_anyone =
    "to admit known people only: `identities = virtual_key verified_user`, a reload, and "
    "`consentgate-admin key add NAME` for each person";
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
    "`RewriteRule ^ https://HOST%{REQUEST_URI} [R=301,L]` in <VirtualHost *:80>; "
    "nginx: `return 301 https://$host$request_uri;`; lighttpd: `url.redirect`";
constexpr const char* fix_redirect =
    "the web server writes its redirects without https. Apache: `ServerName https://HOST`; "
    "nginx: `absolute_redirect off;`; before them all, what ends TLS must say so";
constexpr const char* fix_addresses =
    "let the web server take the caller's address from the proxy in front of it: mod_remoteip, "
    "set_real_ip_from, mod_extforward (docs/operating.md, Addresses of callers)";
constexpr core::Span max_skew{30};

// A redirect to http takes the browser, and what it sends, out of TLS.
std::optional<Finding> find_lost_https(const std::string& url, const HttpResponse& response) {
    if (!url.starts_with("https:") || !core::lower_ascii(response.location).starts_with("http:"))
        return std::nullopt;
    return Finding{
        Verdict::broken, url + " is sent on without TLS, to " + response.location, fix_redirect};
}

} // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::note: return "note";
    case Verdict::broken: return "broken";
    }
    return "";
}

Finding check_document(
    const std::string& url, const HttpResponse& response, const std::string& expected) {
    if (auto lost = find_lost_https(url, response)) return *lost;
    if (response.status == 200 && response.body.reveal() == expected)
        return {Verdict::ok, url + " is ours"};
    if (response.status != 200)
        return {
            Verdict::broken,
            url + ": " + summary(response) + "; clients cannot find out where to sign in",
            fix_mount};
    return {
        Verdict::broken,
        url + " is answered by something else, or by consentgate with another configuration",
        fix_mount};
}

Finding check_without_token(
    const std::string& method, const core::GuardedResource& resource, const HttpResponse& response,
    const core::Policy& policy) {
    const auto what = method + " " + resource.url;
    if (auto lost = find_lost_https(resource.url, response)) return *lost;
    if (is_success(response))
        return {
            Verdict::broken,
            "ANYONE can call " + resource.url + " without signing in (" + method + " " +
                summary(response) + ")",
            fix_guard};
    if (response.status != 401)
        return {
            Verdict::broken, what + ": " + summary(response) + " instead of 401",
            response.status >= 500 || !response.answered
                ? "is the gate running, and does the web server reach its socket?"
                : fix_guard};
    if (response.authenticate ==
        web::bearer_challenge(resource.url, policy.scopes_of(resource), nullptr))
        return {Verdict::ok, what + " asks for a sign-in"};
    return {
        Verdict::broken,
        what + " is 401 without our challenge, so clients do not know where to sign in",
        "another module answers first, or takes WWW-Authenticate away; under Apache: `AuthType "
        "Bearer`, as in apache/gate.conf"};
}

Finding check_false_token(const core::GuardedResource& resource, const HttpResponse& response) {
    if (is_success(response))
        return {
            Verdict::broken, "ANYONE can call " + resource.url + " with an invented token",
            fix_guard};
    if (response.status == 401 &&
        response.authenticate.find("error=\"invalid_token\"") != std::string::npos)
        return {Verdict::ok, resource.url + " reads the token"};
    if (response.status == 401)
        return {
            Verdict::broken, resource.url + " does not see the token that a client sends",
            fix_authorization};
    return {
        Verdict::broken,
        resource.url + " with an invented token: " + summary(response) + " instead of 401",
        response.status >= 500 ? "see the gate's log" : fix_guard};
}

Finding check_spelling(const std::string& url, const HttpResponse& response) {
    if (is_success(response))
        return {Verdict::broken, "ANYONE can call the server behind as " + url, fix_guard};
    return {Verdict::ok, url + " leads nowhere"};
}

Finding check_false_secret(const std::string& url, const HttpResponse& response) {
    if (response.status == 401 && response.authenticate.find("Basic") != std::string::npos)
        return {Verdict::ok, url + " reads Authorization"};
    if (response.status == 404 || !response.answered)
        return {Verdict::broken, url + ": " + summary(response), fix_mount};
    return {
        Verdict::broken, url + " does not see Authorization (" + summary(response) + ")",
        fix_authorization};
}

Finding check_sign_in(
    const std::string& url, const std::string& attempt, const HttpResponse& response) {
    const auto what = url + " " + attempt;
    if (is_success(response))
        return {
            Verdict::broken, "ANYONE can be any user at " + what,
            std::string(fix_sign_in) +
                "; nginx: REMOTE_USER only beside auth_basic, which proves the name"};
    if (response.status == 401 || (response.status >= 300 && response.status < 400))
        return {Verdict::ok, what + " is sent to sign in"};
    if (response.status == 403)
        return {
            Verdict::broken,
            what + ": answered 403; the web server signs nobody in there, or says no name, so "
                   "nobody can use the pages",
            fix_sign_in};
    return {Verdict::broken, what + ": " + summary(response) + " instead of a sign-in", fix_mount};
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
        "let every machine take the time from the network: timedatectl set-ntp true"};
}

Finding check_preflight(const std::string& url, const HttpResponse& response, Verdict otherwise) {
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
        fix_preflight};
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
        fix_tls};
}

Finding check_small_body(const std::string& url, const HttpResponse& response) {
    if (response.status == 400 && response.body.reveal().find("\"error\"") != std::string::npos)
        return {Verdict::ok, url + " gets bodies up to our limit"};
    return {
        Verdict::broken,
        url + " with a body of 60 KiB: " + summary(response) + "; it does not reach consentgate",
        fix_body};
}

Finding check_large_body(const std::string& url, const HttpResponse& response) {
    if (response.status == 413 && response.body.reveal().find("64 KiB") != std::string::npos)
        return {Verdict::ok, url + " refuses larger ones itself"};
    return {
        Verdict::broken,
        url + " with a body of 65 KiB: " + summary(response) +
            ", and not by consentgate, so clients cannot read why",
        fix_body};
}

Finding check_places(const std::string& metrics) {
    constexpr std::string_view name = "consentgate_places_refused_total";
    std::string refused;
    for (const auto& line : core::split(metrics, '\n')) {
        if (line.starts_with(name))
            refused += (refused.empty() ? "" : ", ") + line.substr(name.size());
    }
    if (refused.empty()) return {Verdict::ok, "no request was refused for want of a free worker"};
    return {
        Verdict::note,
        "requests were refused because too many workers waited for others: " + refused,
        "consentgate-admin metrics tells what holds places now; a service that hangs, or more "
        "workers and gate_workers are needed"};
}

Finding check_admission(const core::Admission& admission) {
    switch (admission.entrance) {
    case core::Entrance::anyone: return {Verdict::note, admission.sentence, fix_anyone};
    case core::Entrance::known_people: return {Verdict::ok, admission.sentence};
    case core::Entrance::nobody: return {Verdict::broken, admission.sentence, admission.next_step};
    }
    return {};
}

std::string text_of(const std::vector<core::SessionCount>& counts) {
    std::string text;
    for (const auto& count : counts)
        text += (text.empty() ? "" : ", ") + std::to_string(count.sessions) + " " +
                std::string(core::name_of(count.kind));
    return text;
}

Finding check_shut_out(const std::vector<core::SessionCount>& counts) {
    if (counts.empty()) return {Verdict::ok, "identities refuses no session that is alive"};
    return {
        Verdict::note,
        "identities refuses sessions that are alive: " + text_of(counts) +
            "; their people must sign in in another way",
        "to let them go on, add the kind to identities; to end them, consentgate-admin session "
        "revoke --identity KIND"};
}

Finding check_stranger(
    const StrangerWalk& walk, const core::GuardedResource& resource, const core::Policy& policy) {
    const std::string who = "a stranger who signs in for " + resource.url;
    switch (walk.end) {
    case StrangerWalk::End::not_registered:
        return {
            policy.registration_enabled && walk.last.status != 400 ? Verdict::note : Verdict::ok,
            who + " cannot register a client (" + summary(walk.last) + ")"};
    case StrangerWalk::End::sent_to_sign_in:
        return {Verdict::ok, who + " is sent to sign in by the web server"};
    case StrangerWalk::End::asked_for_key:
        return {Verdict::ok, who + " gets as far as page 1, which asks for a key"};
    case StrangerWalk::End::nobody_offered:
        return {Verdict::ok, who + " gets as far as page 1, which lets nobody in"};
    case StrangerWalk::End::refused:
        return {Verdict::note, who + " does not get in; the last answer: " + summary(walk.last)};
    case StrangerWalk::End::signed_in:
        return {
            Verdict::note,
            "anyone on the Internet can call " + resource.url +
                ": identities = " + policy.identities.text() + "; a stranger got a session token " +
                (walk.named ? "under a name that they typed" : "without saying who they are"),
            fix_anyone};
    }
    return {};
}

Finding check_callbacks(const std::vector<core::Service>& services) {
    std::vector<std::string> shared;
    for (const auto& service : services) {
        if (service.active && service.callback == core::CallbackAddress::shared)
            shared.push_back(service.id.text);
    }
    if (shared.size() < 2) return {Verdict::ok, "no two services send people back to one address"};
    return {
        Verdict::note,
        core::join(shared, ", ") +
            " send people back to one address: one that is hostile could take the accounts that "
            "people have at another",
        "consentgate-admin service set " + shared.front() +
            " --callback own, and so on, until one at most is left"};
}

Finding check_client_secret(const core::Service& service, core::Instant now) {
    constexpr core::Span warned_ahead{30 * 86400}, renewed_by_then{2 * 86400};
    const auto what = "the client secret at the service " + service.id.text;
    const auto renewal = core::renewal_of(service);
    if (renewal == core::SecretRenewal::unneeded) return {Verdict::ok, what + " does not end"};
    const auto ends = *service.client_secret_expires_at;
    const auto days = std::to_string(std::max<std::int64_t>(0, (ends - now).count() / 86400));
    if (renewal == core::SecretRenewal::by_hand) {
        const auto fix = "make a new one there, and consentgate-admin service set " +
                         service.id.text + " --client-secret-file FILE --client-secret-expires DAY";
        if (ends <= now) return {Verdict::broken, what + " has ended", fix};
        if (ends - now > warned_ahead)
            return {Verdict::ok, what + " is good for " + days + " days"};
        return {Verdict::note, what + " ends in " + days + " days", fix};
    }
    const auto fix = "look for event=registration_renewal service=" + service.id.text +
                     " in the log; consentgate-admin service test " + service.id.text;
    if (ends <= now)
        return {Verdict::broken, what + " has ended, and no worker could renew it", fix};
    // A try that failed moves the time of the next one on by the pause.
    const bool late = ends - now < renewed_by_then &&
                      (!service.renew_at || *service.renew_at <= now + core::renewal_pause);
    if (late) return {Verdict::note, what + " ends in " + days + " days, and is not renewed", fix};
    return {
        Verdict::ok, what + " ends in " + days +
                         " days, and is renewed before: " + std::string(core::words_of(renewal))};
}

Finding check_keys(const core::Service& service, const core::Checked& tells) {
    const auto what = "the service " + service.id.text;
    if (tells) return {Verdict::ok, what + " refuses a key that was made up"};
    return {
        Verdict::broken, what + ": " + tells.error().message,
        "consentgate-admin service test " + service.id.text};
}

} // namespace consentgate::app
