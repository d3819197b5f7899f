// A whole server without sockets: requests in, replies out, on a real SQLite store in a folder of
// its own. The log of each request is kept, so that a case can ask what was written there.
#pragma once

#include "captured_log.h"
#include "counting_random.h"
#include "jwt.h"
#include "temp_folder.h"

#include "consentgate/store/open.h"
#include "consentgate/usecase/assertions.h"
#include "consentgate/web/fastcgi.h"
#include "consentgate/web/router.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace consentgate::tests {

inline constexpr const char* browser_accept =
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
inline constexpr const char* form_type = "application/x-www-form-urlencoded";

inline std::string header_of(const web::Reply& reply, std::string_view name) {
    std::string found = "(absent)";
    for (const auto& [known, value] : reply.headers) {
        if (core::same_ignoring_case(known, name))
            found = found == "(absent)" ? value : "(repeated)";
    }
    return found;
}

inline std::string location_of(const web::Reply& reply) { return header_of(reply, "Location"); }

// error.code of the gateway shape, or error of the OAuth shape.
inline std::string error_of(const web::Reply& reply) {
    const auto body = json_of(reply.body);
    return body->object("error") ? member_of(*body->object("error"), "code")
                                 : member_of(*body, "error");
}

inline bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

class TestServer {
public:
    // in:  database  false: there is none, and every verb of the store fails
    explicit TestServer(
        core::Policy chosen = sample_policy(), web::Limits limits = {0, 0}, bool database = true)
        : store_config(config_in(folder, database)),
          store(open(store_config, database)),
          policy(std::move(chosen)),
          pages("conf/pages", {"consentgate", ""}),
          keyring(sample_keyring()),
          bearers({hs256_key()}, "", ""),
          context(web::make_web_context(deps, pages, rates, limits)) {}

    static web::Request request(const std::string& method, const std::string& target) {
        web::Request request;
        const auto question = std::min(target.find('?'), target.size());
        request.method = method;
        request.path = target.substr(0, question);
        request.query = target.substr(std::min(question + 1, target.size()));
        request.remote_addr = "192.0.2.1";
        request.now = noon;
        request.event_id = "0123456789abcdef";
        return request;
    }
    static web::Request get(const std::string& target) { return request("GET", target); }
    static web::Request post(
        const std::string& path, std::string body, std::string type = form_type) {
        auto made = request("POST", path);
        made.body = std::move(body);
        made.content_type = std::move(type);
        return made;
    }

    web::Reply ask(const web::Request& request) {
        const CapturedLog captured;
        auto reply = web::dispatch(request, context);
        log += captured.text();
        return reply;
    }

    TempFolder folder;
    store::StoreConfig store_config;
    std::unique_ptr<store::Store> store;
    CountingRandom random;
    sys::SystemClock clock;
    sys::Log stderr_log;
    core::Policy policy;
    web::Pages pages;
    sys::RateLimiter rates;
    core::Keyring keyring;
    core::BearerVerifier bearers;
    usecase::Assertions assertions{keyring};
    usecase::Dependencies deps{
        .store = *store,
        .random = random,
        .clock = clock,
        .log = stderr_log,
        .policy = policy,
        .keyring = keyring,
        .bearers = bearers,
        .assertions = &assertions};
    web::WebContext context;
    std::string log;

private:
    static store::StoreConfig config_in(const TempFolder& folder, bool database) {
        return {
            .path = folder.file(database ? "consentgate.db" : "nowhere/at all.db"),
            .wait = std::chrono::milliseconds(0),
            .before_statement = {}};
    }
    static std::unique_ptr<store::Store> open(const store::StoreConfig& config, bool database) {
        if (database) store::migrate(config, noon);
        return store::open_store(config);
    }
};

// A client and a person's browser in front of a TestServer, for cases that journey.
class Journey {
public:
    explicit Journey(
        TestServer& server, std::vector<std::string> redirect_uris = {"http://127.0.0.1/callback"})
        : server_(server) {
        server.store->clients.put(sample_client(std::move(redirect_uris)));
    }

    // Authorizes; the flow's id.
    std::string begin(const Parameters& query = sample_authorize()) {
        auto request =
            TestServer::get(std::string("/api/oauth/per-user/authorize?") + query.text());
        if (!cookie.empty()) request.cookie = cookie;
        const auto reply = server_.ask(request);
        if (const auto set = header_of(reply, "Set-Cookie"); set != "(absent)")
            cookie = set.substr(0, set.find(';'));
        flow = query_value(location_of(reply), "flow_id");
        return flow;
    }

    // A form of ours, sent by the person's browser.
    web::Request form(const std::string& action, const std::string& more = "") const {
        auto request =
            TestServer::post("/api/oauth/per-user/consent/" + action, "flow_id=" + flow + more);
        request.cookie = cookie;
        request.origin =
            "https://auth.example.org"; // as browsers send it under our referrer policy
        request.fetch_site = "same-origin";
        return request;
    }
    web::Reply send(const std::string& action, const std::string& more = "") {
        return server_.ask(form(action, more));
    }

    web::Request page(const std::string& path, const std::string& more = "") const {
        auto request = TestServer::get(path + "?flow_id=" + flow + more);
        request.cookie = cookie;
        request.accept = browser_accept;
        return request;
    }

    std::string finish() { return query_value(location_of(send("submit")), "code"); }

    web::Request exchange(const std::string& code) const {
        return TestServer::post(
            "/api/oauth/per-user/token", sample_exchange().with("code", code).text());
    }

    std::string cookie, flow;

private:
    TestServer& server_;
};

} // namespace consentgate::tests
