#include "consentgate/core/doctor.h"

#include "consentgate/core/gate.h"

namespace consentgate::core {
namespace {

std::string said(const Heard& heard) {
    if (!heard.answered) return "no answer: " + heard.why;
    return "answered " + std::to_string(heard.status) + (heard.location.empty() ? "" : ", to " + heard.location);
}

bool passed(const Heard& heard) { return heard.answered && heard.status >= 200 && heard.status < 300; }

constexpr const char* mend_guard = "nothing asks the gate before the server behind. Apache: `Use ConsentgateProtect` for this path, and no other ProxyPass for it; lighttpd: mod_fastcgi before "
                                   "mod_proxy in server.modules, and the block of lighttpd-gate.conf for this path; nginx: `include consentgate/nginx-guard.conf;` in its location";
constexpr const char* mend_authorization = "the web server keeps Authorization to itself. Apache: `CGIPassAuth On` for this path (apache.conf, apache-gate.conf); nginx: no `fastcgi_pass_request_headers off`";
constexpr const char* mend_mount = "requests to this path must reach consentgate before the site's own files and catch-alls: see apache.conf, lighttpd-mount.conf or nginx.conf";
constexpr const char* mend_sign_in = "the web server must authenticate people at this path and hand their name on as REMOTE_USER: the lines for verified users in apache.conf, htaccess, lighttpd-mount.conf or nginx.conf";

} // namespace

std::string_view name_of(Verdict verdict) { return verdict == Verdict::ok ? "ok" : "broken"; }

Finding judge_document(const std::string& url, const Heard& heard, const std::string& expected) {
    if (heard.status == 200 && heard.body == expected) return {Verdict::ok, url + " is ours", {}};
    if (heard.status != 200) return {Verdict::broken, url + ": " + said(heard) + "; clients cannot find out where to sign in", mend_mount};
    return {Verdict::broken, url + " is answered by something else, or by consentgate with another configuration", mend_mount};
}

Finding judge_without_token(const std::string& method, const GuardedResource& resource, const Heard& heard, const Policy& policy) {
    const auto what = method + " " + resource.url;
    if (passed(heard)) return {Verdict::broken, "ANYONE can call " + resource.url + " without signing in (" + method + " " + said(heard) + ")", mend_guard};
    if (heard.status != 401) return {Verdict::broken, what + ": " + said(heard) + " instead of 401", heard.status >= 500 || !heard.answered ? "is the gate running, and does the web server reach its socket?" : mend_guard};
    if (heard.authenticate == bearer_challenge(resource.url, policy.scopes_of(resource), nullptr)) return {Verdict::ok, what + " asks for a sign-in", {}};
    return {Verdict::broken, what + " is 401 without our challenge, so clients do not know where to sign in", "another module answers first, or takes WWW-Authenticate away; under Apache: `AuthType Bearer`, as in apache-gate.conf"};
}

Finding judge_false_token(const GuardedResource& resource, const Heard& heard) {
    if (passed(heard)) return {Verdict::broken, "ANYONE can call " + resource.url + " with a made-up token", mend_guard};
    if (heard.status == 401 && heard.authenticate.find("error=\"invalid_token\"") != std::string::npos) return {Verdict::ok, resource.url + " reads the token", {}};
    if (heard.status == 401) return {Verdict::broken, resource.url + " does not see the token that a client sends", mend_authorization};
    return {Verdict::broken, resource.url + " with a made-up token: " + said(heard) + " instead of 401", heard.status >= 500 ? "see the gate's log" : mend_guard};
}

Finding judge_spelling(const std::string& url, const Heard& heard) {
    if (passed(heard)) return {Verdict::broken, "ANYONE can call the server behind as " + url, mend_guard};
    return {Verdict::ok, url + " leads nowhere", {}};
}

Finding judge_false_secret(const std::string& url, const Heard& heard) {
    if (heard.status == 401 && heard.authenticate.find("Basic") != std::string::npos) return {Verdict::ok, url + " reads Authorization", {}};
    if (heard.status == 404 || !heard.answered) return {Verdict::broken, url + ": " + said(heard), mend_mount};
    return {Verdict::broken, url + " does not see Authorization (" + said(heard) + ")", mend_authorization};
}

Finding judge_sign_in(const std::string& url, const std::string& as_whom, const Heard& heard) {
    const auto what = url + " " + as_whom;
    if (passed(heard)) return {Verdict::broken, "ANYONE can be any user at " + what, std::string(mend_sign_in) + "; nginx: REMOTE_USER only beside auth_basic, which proves the name"};
    if (heard.status == 401 || (heard.status >= 300 && heard.status < 400)) return {Verdict::ok, what + " is sent to sign in", {}};
    if (heard.status == 403) return {Verdict::broken, what + ": answered 403; the web server signs nobody in there, or says no name, so nobody can use the pages", mend_sign_in};
    return {Verdict::broken, what + ": " + said(heard) + " instead of a sign-in", mend_mount};
}

} // namespace consentgate::core
