// A person who signs in at a server with services, and a resource server that may ask for their
// tokens.
#pragma once

#include "scripted_service.h"
#include "web_server.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/upstream/token_exchange.h"
#include "consentgate/usecase/introspection.h"

namespace consentgate::tests {

inline constexpr const char* upstream_start = "/api/oauth/per-user/upstream/authorize";

struct Town {
    TestServer server;
    ScriptedService service;
    Journey journey;
    usecase::NewResourceServer resource_server;

    Town() : journey((server.deps.web = &service, server)) {
        for (const auto* id : {"notion", "github"}) server.store->services.put(sample_service(id));
        resource_server = *usecase::add_resource_server(
            server.deps, {"https://tools.example.org/mcp"}, {"notion", "github"}, noon);
    }

    web::Request get(const std::string& target) const {
        auto request = TestServer::get(target);
        request.cookie = journey.cookie;
        request.accept = browser_accept;
        return request;
    }
    web::Reply begin_upstream_authorization(const std::string& id = "notion") {
        return server.ask(
            get(std::string(upstream_start) + "?mcp_client_id=" + id + "&flow_id=" + journey.flow));
    }
    // Where the service sends people back.
    static std::string callback(const web::Reply& begun_authorization) {
        const auto address = query_value(location_of(begun_authorization), "redirect_uri");
        return address.substr(core::origin_of(address).size()) +
               "?state=" + query_value(location_of(begun_authorization), "state");
    }
    web::Reply come_back(const web::Reply& begun_authorization, const std::string& more) {
        return server.ask(get(callback(begun_authorization) + more));
    }
    web::Reply connect(const std::string& id, const std::string& code) {
        return come_back(begin_upstream_authorization(id), "&code=" + code);
    }

    std::string token() {
        return member_of(
            *json_of(server.ask(journey.exchange(journey.finish())).body), "access_token");
    }
    web::Reply exchange(
        const std::string& token, const std::string& audience = "notion",
        core::Instant now = noon) {
        auto request = TestServer::post(
            "/api/oauth/per-user/token",
            Parameters({{"grant_type", core::token_exchange_grant},
                        {"subject_token", token},
                        {"subject_token_type", core::access_token_type},
                        {"audience", audience},
                        {"client_id", resource_server.server.id.text},
                        {"client_secret", resource_server.clear.reveal()}})
                .text());
        request.now = now;
        return server.ask(request);
    }
    std::string exchanged(
        const std::string& token, const std::string& audience = "notion",
        core::Instant now = noon) {
        const auto reply = exchange(token, audience, now);
        return reply.status == 200 ? member_of(*json_of(reply.body), "access_token")
                                   : error_of(reply);
    }
    std::string services_page() { return server.ask(journey.page("/oauth/consent/mcps")).body; }
};

} // namespace consentgate::tests
