// A guarded MCP server as small as can be: a tool, whoami, that says which client and which person
// is calling, and another, profile, that takes a scope of its own.
//
// It speaks Streamable HTTP (MCP 2025-03-26 and later) with plain JSON answers and no server-side
// session, behind the same web server as consentgate. The access token is checked for real, against
// the session as it is now.
#include "consentgate/app/composition.h"
#include "consentgate/app/master.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/gate.h"
#include "consentgate/usecase/access.h"
#include "consentgate/web/answer.h"
#include "consentgate/web/fastcgi.h"

#include <cstdlib>
#include <iostream>

namespace {

using namespace consentgate;
using core::JsonObject;
using web::Reply;
using web::Request;

JsonObject object() { return {}; }

Reply json(int status, const JsonObject& document) {
    return Reply{status, {}, core::json_string(document)}
        .header("Content-Type", "application/json")
        .header("Cache-Control", "no-store");
}

// in:   error  null: no credentials came, and a challenge for them names no error
Reply challenge(
    const std::string& resource, const core::ScopeSet& scopes, const core::Error* error) {
    const auto value = core::bearer_challenge(resource, scopes, error);
    if (!error)
        return json(401, object().set("error", "unauthorized")).header("WWW-Authenticate", value);
    const auto& known = core::traits(error->code);
    return json(known.status, object().set("error", std::string(known.oauth_error)))
        .header("WWW-Authenticate", value);
}

JsonObject identity_of(const core::SessionView& view) {
    const auto& identity = view.session.identity;
    auto out = object();
    out.set("client_id", view.session.client_id.text).set("client_name", view.client_name);
    out.set("identity_kind", std::string(core::name_of(identity.kind)));
    out.set("identity", view.virtual_key ? view.virtual_key->name : identity.value);
    return out;
}

JsonObject initialize(const JsonObject& params) {
    auto result = object();
    const auto asked = params.text("protocolVersion").value_or("");
    const bool known = asked == "2025-03-26" || asked == "2025-06-18" || asked == "2025-11-25";
    result.set("protocolVersion", known ? asked : "2025-11-25");
    auto capabilities = object();
    capabilities.set("tools", object());
    auto info = object();
    info.set("name", "consentgate-whoami").set("version", "1.0.0");
    return result.set("capabilities", capabilities).set("serverInfo", info);
}

JsonObject tool(const std::string& name, const std::string& title, const std::string& description) {
    auto schema = object();
    schema.set("type", "object").set("properties", object()).set("additionalProperties", false);
    return object()
        .set("name", name)
        .set("title", title)
        .set("description", description)
        .set("inputSchema", schema);
}

JsonObject list_tools() {
    core::JsonArray tools;
    tools.push_back(
        tool("whoami", "Who am I", "Names the client and the person this session belongs to."));
    tools.push_back(tool(
        "profile", "Profile",
        "Tells since when you are signed in and what for; takes the scope profile."));
    return object().set("tools", tools);
}

const core::ScopeSet& profile_scopes() {
    static const auto scopes = core::ScopeSet::parse("mcp profile").value();
    return scopes;
}

JsonObject call_profile(const core::SessionView& view) {
    auto profile = identity_of(view);
    profile.set("since", core::epoch(view.session.created_at))
        .set("scope", view.session.scope.text());
    const core::JsonArray content{
        object().set("type", "text").set("text", core::json_string(profile))};
    return object().set("content", content).set("structuredContent", profile).set("isError", false);
}

JsonObject call_whoami(const core::SessionView& view) {
    const auto identity = identity_of(view);
    auto content = object();
    content.set("type", "text");
    content.set(
        "text", "client=" + view.client_name +
                    " identity=" + identity.text("identity_kind").value() + ":" +
                    identity.text("identity").value());
    return object()
        .set("content", core::JsonArray{content})
        .set("structuredContent", identity)
        .set("isError", false);
}

Reply rpc_error(int status, const core::Json& id, int code, const std::string& message) {
    auto error = object();
    error.set("code", code).set("message", message);
    return json(status, object().set("jsonrpc", "2.0").set("id", id).set("error", error));
}

Reply answer_rpc(const JsonObject& message, const core::SessionView& view) {
    const auto method = message.text("method");
    const auto id = message.contains("id") ? *message.find("id") : core::Json();
    if (message.text("jsonrpc") != "2.0" || !method)
        return rpc_error(400, {}, -32600, "not a JSON-RPC 2.0 request");
    if (!message.contains("id")) return Reply{202, {}, {}}; // a notification
    const auto params = message.object("params") ? *message.object("params") : object();
    const auto result = [&](const JsonObject& value) {
        return json(200, object().set("jsonrpc", "2.0").set("id", id).set("result", value));
    };
    if (*method == "initialize") return result(initialize(params));
    if (*method == "ping") return result(object());
    if (*method == "tools/list") return result(list_tools());
    if (*method == "tools/call" && params.text("name") == "whoami")
        return result(call_whoami(view));
    if (*method == "tools/call" && params.text("name") == "profile")
        return result(call_profile(view));
    if (*method == "tools/call") return rpc_error(200, id, -32602, "there is no such tool");
    return rpc_error(200, id, -32601, "there is no such method");
}

bool calls_profile(const JsonObject& message) {
    const auto* params = message.object("params");
    return message.text("method") == "tools/call" && params && params->text("name") == "profile";
}

// Access comes before everything else about the request (requirement C15).
Reply serve_mcp(const Request& request, usecase::Dependencies& deps, const std::string& resource) {
    if (request.method == "OPTIONS") return web::answer_mcp_preflight();
    const auto credential = core::bearer_credential(request.authorization);
    const auto& scopes = deps.policy.default_scopes;
    if (!credential) { // no header that could be one: the client must mend it, and signing in anew
                       // would not (C8)
        const auto malformed = core::make_error(
            core::ErrorCode::invalid_request,
            core::PublicMessage{"the Authorization header must be Bearer and one token"});
        return challenge(resource, scopes, &malformed);
    }
    if (!*credential) return challenge(resource, scopes, nullptr);
    const auto view = usecase::authorize_access(deps, **credential, resource, request.now);
    if (!view) return challenge(resource, scopes, &view.error());
    if (request.method != "POST")
        return json(405, object().set("error", "method_not_allowed"))
            .header("Allow", "POST, OPTIONS");
    if (request.body_state == web::BodyState::too_large)
        return json(413, object().set("error", "too_large"));
    if (request.body_state == web::BodyState::cut)
        return rpc_error(400, {}, -32700, "the body was cut off");
    const auto message = core::parse_json_object(request.body);
    if (!message) return rpc_error(400, {}, -32700, "not a JSON object");
    if (calls_profile(*message)) {
        if (const auto valid = core::check_scope(view->session, profile_scopes(), deps.policy);
            !valid)
            return challenge(resource, profile_scopes(), &valid.error());
    }
    return answer_rpc(*message, *view);
}

Reply serve_safely(
    const Request& request, usecase::Dependencies& deps, const std::string& resource) {
    Reply reply;
    try {
        reply = serve_mcp(request, deps, resource);
    } catch (const std::exception&) { // the database is away: closed, and worth another try
        reply =
            json(503, object().set("error", "temporarily_unavailable")).header("Retry-After", "2");
    }
    return web::open_to_browsers(std::move(reply));
}

} // namespace

int main(int argc, char** argv) {
    const int socket = app::inherited_socket();
    if (socket < 0) {
        std::cerr << "usage: spawn-fcgi -n -s SOCKET -- whoami-mcp [--config FILE]\n";
        return 2;
    }
    try {
        return app::run_master([&]() -> app::Plan {
            const auto startup =
                std::make_shared<app::Startup>(app::load_startup(app::config_path(argc, argv)));
            if (startup->config.policy.resources.empty())
                throw std::runtime_error("`resources` of the configuration must name this server");
            return {2, [socket, startup] {
                        app::Runtime runtime(*startup);
                        const auto resource = startup->config.policy.resources.front().url;
                        web::serve(
                            socket, {[&](Request& request) {
                                         return serve_safely(request, runtime.deps(), resource);
                                     },
                                     {}});
                        return EXIT_SUCCESS;
                    }};
        });
    } catch (const std::exception& error) {
        std::cerr << "whoami-mcp cannot start:\n" << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
