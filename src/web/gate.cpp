#include "consentgate/web/gate.h"

#include "consentgate/core/bearer.h"
#include "consentgate/core/gate.h"
#include "consentgate/core/json.h"
#include "consentgate/core/text.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/web/answer.h"

#include <exception>

namespace consentgate::web {
namespace {

using core::Fault;

// The token stands in the header and nowhere else: one in the address would be in logs, and a second one is a mistake (C8, C9).
core::Result<std::optional<core::Secret>> read_token(const Request& request) {
    auto credential = core::bearer_credential(request.authorization);
    const bool in_query = ("&" + request.query).find("&access_token=") != std::string::npos;
    const bool twice = credential && *credential && in_query;
    if (credential && !twice) return credential;
    return core::refuse(Fault::invalid_request, core::Say{"the request must carry one token, as Authorization: Bearer"}, core::Why{twice ? "a token in the address too" : "malformed Authorization"});
}

// Headers of this answer are for the web server alone; Content-Length among them would reach the client (Apache).
Reply let_pass(const usecase::Passage& passage, Asked asked) {
    Reply reply;
    reply.bare = true;
    const bool variables = asked == Asked::as_authorizer;
    reply.headers.reserve(8);
    auto facts = core::gate_facts(passage.view);
    if (variables) reply.header("Variable-REMOTE_USER", facts.front().value);
    for (auto& fact : facts) reply.header(variables ? fact.variable : fact.header, std::move(fact.value));
    if (passage.upstream) {
        reply.header(variables ? "Variable-CONSENTGATE_AUTHORIZATION" : "Consentgate-Authorization", "Bearer " + passage.upstream->reveal());
    }
    return reply;
}

int nginx_status(int status) { return status == 400 || status == 401 ? 401 : status < 500 ? 403 : status; }

// in:  resource  null: none was found, or it came to nothing before
Reply turn_away(const core::Error* error, const core::GuardedResource* resource, const Gate& gate, Asked asked) {
    const int status = error ? core::gate_status(*error) : 401;
    const auto word = error ? std::string(core::traits(error->fault).oauth_error) : "unauthorized";
    core::FlatJson body;
    body.text("error", word);
    if (error && !error->say.empty()) body.text("error_description", core::plain_ascii(error->say));
    auto reply = answer_json(asked == Asked::as_authorizer ? status : nginx_status(status), body.str());
    reply.header("Cache-Control", "no-store");
    const bool challenged = status == 401 || status == 400 || (error && error->fault == Fault::insufficient_scope);
    if (resource && challenged) {
        const auto& policy = gate.world.policy;
        reply.header("WWW-Authenticate", core::bearer_challenge(resource->url, policy.scopes_of(*resource), error));
    }
    if (status == 503) reply.header("Retry-After", std::to_string(error->retry_after_seconds > 0 ? error->retry_after_seconds : 2));
    return reply;
}

struct Decision {
    Reply reply;
    std::string fault, why; // of a refusal, for the log
};

Decision refuse(const core::Error& error, const core::GuardedResource* resource, const Gate& gate, Asked asked) {
    return {turn_away(&error, resource, gate, asked), std::string(core::traits(error.fault).name), error.why};
}

Decision judge(const Request& request, Gate& gate) {
    const auto resource = gate.resources.find(request.path);
    if (!resource) return refuse(resource.error(), nullptr, gate, request.asked);
    if (request.method == "OPTIONS" && request.asked == Asked::as_authorizer) return {answer_mcp_preflight(), "preflight", {}};
    const auto token = read_token(request);
    if (!token) return refuse(token.error(), *resource, gate, request.asked);
    if (!*token) return {turn_away(nullptr, *resource, gate, request.asked), "no_token", {}};
    const auto passage = usecase::pass_gate(gate.world, **resource, **token, request.now);
    if (!passage) return refuse(passage.error(), *resource, gate, request.asked);
    return {let_pass(*passage, request.asked), {}, {}};
}

Decision judge_safely(const Request& request, Gate& gate) {
    try {
        return judge(request, gate);
    } catch (const store::StoreFailure& failure) {
        return refuse(core::refuse(Fault::store_unavailable, core::Say{"the database is away; try again"}, core::Why{failure.what()}), nullptr, gate, request.asked);
    } catch (const std::exception& error) {
        return refuse(core::refuse(Fault::server_error, core::Say{"something went wrong here"}, core::Why{error.what()}), nullptr, gate, request.asked);
    }
}

} // namespace

Reply decide(const Request& request, Gate& gate) {
    const sys::Stopwatch watch;
    auto decision = judge_safely(request, gate);
    if (auto* metrics = gate.world.metrics) {
        metrics->count(sys::Metric::gate_decisions, {{"reason", decision.fault.empty() ? "passed" : decision.fault}});
        metrics->observe(sys::Metric::gate_seconds, {}, watch.taken());
    }
    if (decision.fault.empty()) return std::move(decision.reply);
    // What passes is in the web server's own log; what does not is here, with the reason.
    sys::log_event("gate", {{"id", request.event_id}, {"method", request.method}, {"status", std::to_string(decision.reply.status)},
                            {"fault", decision.fault}, {"why", decision.why.empty() ? "-" : decision.why}});
    return open_to_browsers(std::move(decision.reply));
}

} // namespace consentgate::web
