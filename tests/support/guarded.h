// A gate before three resources, with real sessions on a real store.
#pragma once

#include "scripted_service.h"
#include "web_server.h"

#include "consentgate/web/gate.h"

#include <optional>
#include <string>

namespace consentgate::tests {

inline core::Policy guarded_policy() {
    auto policy = sample_policy();
    policy.resources = {
        core::GuardedResource{"https://tools.example.org/mcp"},
        core::GuardedResource{"https://tools.example.org/mcp/profile", scopes("mcp profile")},
        core::GuardedResource{"https://tools.example.org/mcp/notion", {}, "notion"}};
    return policy;
}

struct Guarded {
    TestServer server;
    ScriptedService service;
    web::Gate gate;
    std::optional<Journey> journey;

    explicit Guarded(bool database = true, core::Policy policy = guarded_policy())
        : server(std::move(policy), {0, 0}, database),
          gate{
              (server.deps.web = &service, server.deps),
              core::ResourceMap(server.policy.resources)} {
        if (database) journey.emplace(server);
    }

    std::string token_for(
        const std::string& path, const std::string& scope = "mcp",
        const std::string& identity = "skip", const std::string& more = "") {
        journey->begin(sample_authorize()
                           .with("resource", "https://tools.example.org" + path)
                           .with("scope", scope));
        journey->send(identity, more);
        return member_of(
            *json_of(server
                         .ask(TestServer::post(
                             "/api/oauth/per-user/token",
                             sample_exchange()
                                 .with("code", journey->finish())
                                 .with("resource", "https://tools.example.org" + path)
                                 .text()))
                         .body),
            "access_token");
    }
    web::Reply ask(web::Request request, web::Asked asked = web::Asked::as_authorizer) {
        request.asked = asked;
        const CapturedLog captured;
        auto reply = web::decide(request, gate);
        server.log += captured.text();
        return reply;
    }
    web::Reply call(
        const std::string& target, const std::string& token,
        web::Asked asked = web::Asked::as_authorizer, const std::string& method = "POST") {
        auto request = TestServer::request(method, target);
        if (!token.empty()) request.authorization = "Bearer " + token;
        return ask(request, asked);
    }
};

inline std::string challenge(const web::Reply& reply) {
    return header_of(reply, "WWW-Authenticate");
}
inline std::string text_of(const web::Reply& reply) { return web::serialize(reply, true); }

} // namespace consentgate::tests
