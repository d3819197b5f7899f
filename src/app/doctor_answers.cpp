#include "doctor_answers.h"

#include "consentgate/core/base/text.h"

#include <array>
#include <utility>

namespace consentgate::app {

using sys::HttpResponse;

const char* const fix_pages =
    "do the pages run, and may the web server connect to their socket? systemctl status "
    "consentgate.socket consentgate.service; the web server's error log says why it cannot";
const char* const fix_gate =
    "is the gate running, and does the web server reach its socket? systemctl status "
    "'consentgate-gate@*'; the web server's error log says why it cannot";
const char* const fix_mount =
    "requests to this path must reach consentgate before the site's own files and rules. Apache: "
    "`Use Consentgate` as the first line of this virtual host; nginx: `include "
    "consentgate/pages.conf;` in this server block; lighttpd: `include` of lighttpd/pages.conf as "
    "the last line of this host's block";
const char* const fix_authorization =
    "the web server keeps Authorization to itself. Apache: `CGIPassAuth On` for this path "
    "(apache/pages.conf, apache/gate.conf); nginx: no `fastcgi_pass_request_headers off`";

namespace {

constexpr const char* fix_web_server =
    "does the web server run, and is this its address? Apache: apache2ctl configtest, and "
    "systemctl status apache2; nginx: nginx -t, and systemctl status nginx; lighttpd: lighttpd -tt "
    "-f /etc/lighttpd/lighttpd.conf, and systemctl status lighttpd";
constexpr const char* fix_redirect =
    "the web server, or what ends TLS before it, writes redirects without https. Apache: "
    "`ServerName https://HOST`; nginx: `absolute_redirect off;`";
constexpr const char* fix_chain =
    "the web server must send the certificates between its own and the authority's, too: "
    "fullchain.pem in place of cert.pem. Apache: SSLCertificateFile; nginx: ssl_certificate; "
    "lighttpd: ssl.pemfile";

constexpr const char* fix_name =
    "DNS must lead this name to the web server; for this machine alone, a line of /etc/hosts with "
    "the address and the name does";

constexpr std::array certificate_failures{
    std::pair{
        core::FailureCause::tls_expired,
        "renew the certificate of this host (certbot renew), and reload the web server"},
    std::pair{
        core::FailureCause::tls_wrong_name,
        "the web server must have a certificate for this name. Apache: SSLCertificateFile of the "
        "virtual host with this ServerName; nginx: ssl_certificate of the server block with this "
        "server_name; lighttpd: ssl.pemfile of this host"},
    std::pair{
        core::FailureCause::tls_unknown_authority,
        "take a certificate of an authority that clients know (certbot does); `service_ca` names "
        "an authority of your own"},
    std::pair{
        core::FailureCause::tls_failed, "see which protocols and certificates the web server has"}};

} // namespace

std::string summary(const HttpResponse& response) {
    if (!response.answered) return "no answer: " + response.reason;
    return "answered " + std::to_string(response.status) +
           (response.location.empty() ? "" : ", to " + response.location);
}

bool is_success(const HttpResponse& response) {
    return response.answered && response.status >= 200 && response.status < 300;
}

bool names_server_error(const HttpResponse& response) {
    return response.answered && response.status >= 500;
}

std::optional<Finding> find_silence(const std::string& url, const HttpResponse& response) {
    if (response.answered || response.too_large || response.cut_off) return std::nullopt;
    const auto what = url + ": no answer: " + response.reason;
    if (response.cause == core::FailureCause::tls_unknown_authority &&
        response.reason.starts_with(sys::without_chain))
        return Finding{Verdict::broken, what, fix_chain, Cause::certificate};
    for (const auto& [cause, fix] : certificate_failures)
        if (response.cause == cause) return Finding{Verdict::broken, what, fix, Cause::certificate};
    const bool named = response.cause != core::FailureCause::name_not_found;
    return Finding{Verdict::broken, what, named ? fix_web_server : fix_name, Cause::web_server};
}

std::optional<Finding> find_lost_https(const std::string& url, const HttpResponse& response) {
    if (!url.starts_with("https:") || !core::lower_ascii(response.location).starts_with("http:"))
        return std::nullopt;
    return Finding{
        Verdict::broken, url + " is sent on without TLS, to " + response.location, fix_redirect,
        Cause::plain_http};
}

} // namespace consentgate::app
