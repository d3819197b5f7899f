#include "consentgate/web/gate.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/bearer.h"
#include "consentgate/core/oauth/gate.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/web/answer.h"
#include "consentgate/web/challenge.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <stdexcept>
#include <string_view>

namespace consentgate::web {
namespace {

using core::ErrorCode;

// A name in a query as the most lenient program reads it: decoded, and with PHP's ideas of signs.
std::string lenient_name(std::string_view field) {
    const auto name = field.substr(0, std::min(field.find('='), field.size()));
    auto plain = core::lower_ascii(core::percent_decode(name, true).value_or(std::string(name)));
    for (auto& c : plain)
        if (c == '.' || c == ' ' || c == '[') c = '_';
    return plain.substr(std::min(plain.find_first_not_of('_'), plain.size()));
}

bool has_token(std::string_view query) {
    while (!query.empty()) {
        const auto end = std::min(query.find_first_of("&;"), query.size());
        if (lenient_name(query.substr(0, end)) == "access_token") return true;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return false;
}

// The token stands in the header alone: a token in the address would be in logs, and a second one
// is a mistake (C8, C9).
core::Result<std::optional<core::Secret>> read_token(const Request& request) {
    auto credential = core::bearer_credential(request.authorization);
    const bool twice = credential && *credential && has_token(request.query);
    if (credential && !twice) return credential;
    return core::make_error(
        ErrorCode::invalid_request,
        core::PublicMessage{"the request must carry one token, as Authorization: Bearer"},
        core::LogDetail{twice ? "a token in the address too" : "malformed Authorization"});
}

// The name of a fact: as an authorizer has the web server set a variable (FastCGI 1.0,
// section 6.3), and as a request header for the resource server.
struct FactName {
    std::string_view variable, header;
};

FactName name_of(core::GateFactKind kind) {
    using Kind = core::GateFactKind;
    switch (kind) {
    case Kind::subject: return {"Variable-CONSENTGATE_SUBJECT", "Consentgate-Subject"};
    case Kind::user: return {"Variable-CONSENTGATE_USER", "Consentgate-User"};
    case Kind::identity: return {"Variable-CONSENTGATE_IDENTITY", "Consentgate-Identity"};
    case Kind::client: return {"Variable-CONSENTGATE_CLIENT", "Consentgate-Client"};
    case Kind::scope: return {"Variable-CONSENTGATE_SCOPE", "Consentgate-Scope"};
    case Kind::session: return {"Variable-CONSENTGATE_SESSION", "Consentgate-Session"};
    }
    throw std::logic_error("a gate fact without a name");
}

// The web server alone reads these headers. Apache would pass Content-Length on to the client.
Reply allow(const usecase::CallGrant& grant, Asked asked) {
    Reply reply;
    reply.bare = true;
    const bool variables = asked == Asked::as_authorizer;
    reply.headers.reserve(8);
    auto facts = core::gate_facts(grant.view);
    if (variables) reply.header("Variable-REMOTE_USER", facts.front().value);
    for (auto& fact : facts) {
        const auto name = name_of(fact.kind);
        reply.header(variables ? name.variable : name.header, std::move(fact.value));
    }
    if (grant.upstream) {
        reply.header(
            variables ? "Variable-CONSENTGATE_AUTHORIZATION" : "Consentgate-Authorization",
            "Bearer " + grant.upstream->reveal());
    }
    return reply;
}

// absent: the web server takes the whole answer
std::optional<core::Error> check_limits(const Reply& reply, const AnswerLimits& limits) {
    constexpr std::size_t around_head = 64; // the status, the empty line, FastCGI's own bytes
    constexpr std::size_t around_line = 4;
    constexpr int retry_seconds = 3600; // time changes nothing here; the log names the cure
    std::size_t head = around_head;
    std::size_t longest = 0;
    for (const auto& [name, value] : reply.headers) {
        const auto line = name.size() + value.size() + around_line;
        longest = std::max(longest, line);
        head += line;
    }
    if (longest <= limits.line && head <= limits.head) return std::nullopt;
    return core::make_error(
        ErrorCode::service_unavailable,
        core::PublicMessage{"the token of this account is too long for the web server"},
        core::LogDetail{
            "too long for the web server: a line of " + std::to_string(longest) + " bytes, " +
            std::to_string(head) + " in all; it takes " + std::to_string(limits.line) + " and " +
            std::to_string(limits.head) + " (CONSENTGATE_LINE_LIMIT)"},
        {}, core::RetryAfter{retry_seconds});
}

int nginx_status(int status) {
    if (status == 400 || status == 401) return 401;
    return status < 500 && status != 429 ? 403 : status;
}

// in:  resource  null: none was found, or an exception came first
Reply deny(
    const core::Error* error, const core::GuardedResource* resource, const Gate& gate,
    Asked asked) {
    const int status = error ? gate_status(*error) : 401;
    const auto word = error ? std::string(core::traits(error->code).oauth_error) : "unauthorized";
    core::FlatJson body;
    body.text("error", word);
    if (error && !error->message.empty())
        body.text("error_description", core::plain_ascii(error->message));
    auto reply =
        answer_json(asked == Asked::as_authorizer ? status : nginx_status(status), body.str());
    reply.header("Cache-Control", "no-store");
    const bool challenged =
        status == 401 || status == 400 || (error && error->code == ErrorCode::insufficient_scope);
    if (resource && challenged) {
        const auto& policy = gate.deps.policy;
        reply.header(
            "WWW-Authenticate",
            bearer_challenge(resource->url, policy.scopes_of(*resource), error));
    }
    if (status == 503 || status == 429)
        reply.header(
            "Retry-After",
            std::to_string(error->retry_after_seconds() > 0 ? error->retry_after_seconds() : 2));
    return reply;
}

struct Decision {
    Reply reply;
    std::string code, reason; // of a refusal, for the log
};

Decision make_error(
    const core::Error& error, const core::GuardedResource* resource, const Gate& gate,
    Asked asked) {
    return {
        deny(&error, resource, gate, asked), std::string(core::traits(error.code).name),
        error.reason};
}

Decision validate(const Request& request, Gate& gate) {
    const auto resource = gate.resources.find(request.path);
    if (request.lax_names)
        return make_error(
            core::make_error(
                ErrorCode::invalid_request, core::PublicMessage{std::string(lax_names_message)},
                core::LogDetail{"the web server passes names on that servers read as the gate's"}),
            resource ? *resource : nullptr, gate, request.asked);
    if (!resource) return make_error(resource.error(), nullptr, gate, request.asked);
    if (request.method == "OPTIONS" && request.asked == Asked::as_authorizer)
        return {answer_mcp_preflight(), "preflight", {}};
    const auto token = read_token(request);
    if (!token) return make_error(token.error(), *resource, gate, request.asked);
    if (!*token) return {deny(nullptr, *resource, gate, request.asked), "no_token", {}};
    const auto grant = usecase::authorize_call(gate.deps, **resource, **token, request.now);
    if (!grant) return make_error(grant.error(), *resource, gate, request.asked);
    auto allowed = allow(*grant, request.asked);
    if (const auto error = check_limits(allowed, request.limits))
        return make_error(*error, *resource, gate, request.asked);
    gate.deps.note_use(grant->view.session.id, request.remote_addr, request.now);
    return {std::move(allowed), {}, {}};
}

Decision decide_safely(const Request& request, Gate& gate) {
    try {
        return validate(request, gate);
    } catch (const store::StoreFailure& failure) {
        return make_error(
            core::make_error(
                ErrorCode::store_unavailable,
                core::PublicMessage{"the database is away; try again"},
                core::LogDetail{failure.what()}),
            nullptr, gate, request.asked);
    } catch (const std::exception& error) {
        return make_error(
            core::make_error(
                ErrorCode::server_error, core::PublicMessage{"something went wrong here"},
                core::LogDetail{error.what()}),
            nullptr, gate, request.asked);
    }
}

} // namespace

AnswerLimits answer_limits(Asked asked, bool by_apache, std::string_view limit) {
    constexpr std::size_t nginx = 3900, apache = 8100, lighttpd = 60000;
    constexpr std::size_t apache_head = 60000; // it limits lines and hardly their number
    const auto said = core::parse_number(limit);
    const auto line = said && *said > 0           ? static_cast<std::size_t>(*said)
                      : asked == Asked::to_answer ? nginx
                      : by_apache                 ? apache
                                                  : lighttpd;
    return {line, by_apache ? std::max(line, apache_head) : line};
}

bool shows_lax_names(std::string_view parameter) {
    constexpr std::string_view ours = "HTTP_CONSENTGATE";
    if (!parameter.starts_with(ours)) return false;
    const auto rest = parameter.substr(ours.size());
    if (rest.empty()) return false;
    return rest == "_DOCTOR" ||
           (rest[0] != '_' && std::isalnum(static_cast<unsigned char>(rest[0])) == 0);
}

Reply decide(const Request& request, Gate& gate) {
    const sys::Stopwatch watch;
    auto decision = decide_safely(request, gate);
    if (auto* metrics = gate.deps.metrics) {
        metrics->count(
            sys::Metric::gate_decisions,
            {{"result", decision.code.empty() ? "allowed" : decision.code}});
        metrics->observe(sys::Metric::gate_seconds, {}, watch.taken());
    }
    if (decision.code.empty()) return std::move(decision.reply);
    // The web server logs the requests that pass; a refusal is logged here, with its reason.
    gate.deps.log.event(
        "gate", {{"event_id", request.event_id},
                 {"method", request.method},
                 {"status", std::to_string(decision.reply.status)},
                 {"error", decision.code},
                 {"reason", decision.reason.empty() ? "-" : decision.reason}});
    return open_to_browsers(std::move(decision.reply));
}

} // namespace consentgate::web
