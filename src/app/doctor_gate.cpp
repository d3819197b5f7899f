// The doctor's rules about guarded servers: who reaches them without a session, and who with one.
#include "consentgate/app/doctor.h"

#include "doctor_answers.h"

#include "consentgate/web/challenge.h"

namespace consentgate::app {
namespace {

using sys::HttpResponse;

constexpr const char* fix_guard =
    "nothing asks the gate before the server behind. Apache: `Use ConsentgateProtect` for this "
    "path, and no other ProxyPass for it; lighttpd: mod_fastcgi before "
    "mod_proxy in server.modules, and the lines of lighttpd/protect.conf for this path; nginx: "
    "`include consentgate/protect.conf;` in its location";
constexpr const char* fix_spelling =
    "what passes this spelling on must ask the gate, too, or not be there. Apache: no other "
    "ProxyPass to that server, and `<Location>` takes capitals apart; lighttpd: proxy.server only "
    "beside the lines of lighttpd/protect.conf; nginx: no `location ~*` or `location /` with the "
    "same proxy_pass and without `include consentgate/protect.conf;`";
constexpr const char* fix_stream =
    "what stands before the web server must not buffer: a CDN's response buffering and "
    "compression off for this path. Apache: `flushpackets=on`, and no mod_deflate there; nginx: "
    "`proxy_buffering off;`; lighttpd: `server.stream-response-body = 1`";
constexpr const char* fix_behind =
    "the web server passes calls on, and no MCP server answers: does it run, and is it what the "
    "web server's line for this path names? A path after the address counts. Apache: the second "
    "word of `Use ConsentgateProtect`; nginx: proxy_pass; lighttpd: proxy.server";

Finding open_server(const core::GuardedResource& resource, std::string what) {
    return {Verdict::broken, std::move(what), fix_guard, Cause::open_server, resource.url};
}

} // namespace

bool reached_server(const HttpResponse& response) {
    if (!response.answered && !response.too_large && !response.cut_off) return false;
    if (response.status >= 200 && response.status < 300) return true;
    const auto& body = response.body.reveal();
    // A web server refuses nothing that it would pass on in these ways.
    return response.status == 406 || response.status == 415 || response.status == 422 ||
           holds(body, "\"jsonrpc\"");
}

bool is_page_of_site(const HttpResponse& response, const HttpResponse& elsewhere) {
    // No MCP server answers its first call with a page for people.
    const auto is_page = [](const HttpResponse& one) {
        return is_success(one) && one.content_type == "text/html" &&
               !holds(one.body.reveal(), "\"jsonrpc\"");
    };
    return is_page(response) && is_page(elsewhere);
}

std::optional<Finding> find_unserved(
    const core::GuardedResource& resource, const HttpResponse& response,
    const HttpResponse& elsewhere) {
    const bool nothing = response.status == 404 && !reached_server(response) &&
                         !holds(response.body.reveal(), "error_description");
    if (!nothing && !is_page_of_site(response, elsewhere)) return std::nullopt;
    return Finding{
        Verdict::note,
        "the web server has nothing at " + resource.url + " yet (" + summary(response) + ")",
        "Apache: `Use ConsentgateProtect PATH URL` in the virtual host; nginx: a location with "
        "`include consentgate/protect.conf;` and proxy_pass; lighttpd: a block with the lines of "
        "lighttpd/protect.conf and proxy.server",
        Cause::server_behind, resource.url};
}

Finding check_without_token(
    const std::string& method, const core::GuardedResource& resource, const HttpResponse& response,
    const core::Policy& policy) {
    const auto what = method + " " + resource.url;
    if (auto silent = find_silence(what, response)) return *silent;
    if (auto lost = find_lost_https(resource.url, response)) return *lost;
    if (reached_server(response))
        return open_server(
            resource, "ANYONE can call " + resource.url + " without signing in (" + method + " " +
                          summary(response) + ")");
    if (names_server_error(response))
        return {
            Verdict::broken, what + ": " + summary(response) + " instead of 401", fix_gate,
            Cause::gate_fails, resource.url};
    if (response.status != 401)
        return {
            Verdict::broken, what + ": " + summary(response) + " instead of 401", fix_guard,
            Cause::challenge, resource.url};
    if (response.authenticate ==
        web::bearer_challenge(resource.url, policy.scopes_of(resource), nullptr))
        return {Verdict::ok, what + " asks for a sign-in"};
    return {
        Verdict::broken,
        what + " is 401 without our challenge, so clients do not know where to sign in",
        "another module answers first, or takes WWW-Authenticate away. Apache: `AuthType "
        "Bearer`, as in apache/gate.conf",
        Cause::challenge, resource.url};
}

Finding check_false_token(const core::GuardedResource& resource, const HttpResponse& response) {
    if (auto silent = find_silence(resource.url, response)) return *silent;
    if (reached_server(response))
        return open_server(resource, "ANYONE can call " + resource.url + " with an invented token");
    if (response.status == 401 && holds(response.authenticate, "error=\"invalid_token\""))
        return {Verdict::ok, resource.url + " reads the token"};
    if (response.status == 401)
        return {
            Verdict::broken, resource.url + " does not see the token that a client sends",
            fix_authorization, Cause::authorization, resource.url};
    const bool fails = names_server_error(response);
    return {
        Verdict::broken,
        resource.url + " with an invented token: " + summary(response) + " instead of 401",
        fails ? fix_gate : fix_guard, fails ? Cause::gate_fails : Cause::challenge, resource.url};
}

Finding check_spelling(
    const core::GuardedResource& resource, const std::string& url, const HttpResponse& response,
    const HttpResponse& elsewhere) {
    if (!reached_server(response) || is_page_of_site(response, elsewhere))
        return {Verdict::ok, url + " leads nowhere"};
    return {
        Verdict::broken,
        "ANYONE can call the server behind as " + url + " (" + summary(response) + ")",
        fix_spelling, Cause::open_server, resource.url};
}

Finding check_call(const core::GuardedResource& resource, const HttpResponse& response) {
    const auto what = "a call of " + resource.url + " with a session";
    const bool ours = holds(response.body.reveal(), "error_description");
    if (auto silent = find_silence(what, response)) return *silent;
    if (is_success(response)) return {Verdict::ok, what + " arrives at its server"};
    if (response.status == 403 && ours)
        return {Verdict::ok, what + " that rules do not name is refused"};
    if (response.status == 401)
        return {
            Verdict::broken, what + " is refused as one without (" + response.authenticate + ")",
            ours ? "another database or key file than the gate's? consentgate-admin --config FILE "
                   "names the configuration"
                 : "the server behind wants a sign-in of its own: end that, because the gate knows "
                   "the caller",
            ours ? Cause::challenge : Cause::server_behind, resource.url};
    if (ours)
        return {
            Verdict::broken, what + ": " + summary(response), fix_gate, Cause::gate_fails,
            resource.url};
    return {
        names_server_error(response) ? Verdict::broken : Verdict::note,
        "the server behind " + resource.url + " does not answer an MCP client's first call (" +
            summary(response) + ")",
        fix_behind, Cause::server_behind, resource.url};
}

Finding check_stream(
    const core::GuardedResource& resource, const HttpResponse& through,
    const HttpResponse& direct) {
    const bool offered =
        direct.answered && direct.status == 200 && direct.content_type == "text/event-stream";
    if (!offered) return {Verdict::ok, resource.url + " is asked for no stream"};
    if (through.answered) return {Verdict::ok, "a stream of " + resource.url + " begins at once"};
    return {
        Verdict::note,
        "a stream of " + resource.url +
            " does not begin, and at its server it does: " + through.reason,
        fix_stream, Cause::buffered, resource.url};
}

} // namespace consentgate::app
