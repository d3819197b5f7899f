#include "consentgate/web/gate.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/bearer.h"
#include "consentgate/core/oauth/gate.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/web/answer.h"
#include "consentgate/web/challenge.h"
#include "consentgate/web/preflight.h"
#include "logged_method.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <variant>

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
    case Kind::email: return {"Variable-CONSENTGATE_EMAIL", "Consentgate-Email"};
    case Kind::groups: return {"Variable-CONSENTGATE_GROUPS", "Consentgate-Groups"};
    case Kind::groups_omitted:
        return {"Variable-CONSENTGATE_GROUPS_OMITTED", "Consentgate-Groups-Omitted"};
    case Kind::provider: return {"Variable-CONSENTGATE_PROVIDER", "Consentgate-Provider"};
    }
    throw std::logic_error("a gate fact without a name");
}

// A key whose header is Authorization goes where tokens go.
bool has_own_header(const usecase::CallGrant& grant) {
    return !grant.key_header.empty() &&
           !core::same_ignoring_case(grant.key_header, "authorization");
}

// In place of the challenges of a server behind that uses a service: those would lead clients to
// sign in at the service, where they are not known. nginx's files part it from other texts by |.
std::string challenge_in_place(const core::GuardedResource& resource, const Gate& gate) {
    static const auto error = core::make_error(
        ErrorCode::invalid_bearer,
        core::PublicMessage{
            "the service behind this server refused this person's account; sign in again"},
        core::LogDetail{});
    auto challenge = bearer_challenge(resource.url, gate.deps.policy.scopes_of(resource), &error);
    std::replace(challenge.begin(), challenge.end(), '|', '/');
    return challenge;
}

void add_assertion(
    Reply& reply, const usecase::CallGrant& grant, const core::GuardedResource& resource,
    bool variables) {
    if (grant.assertion.empty()) return;
    if (resource.facts.assertion == core::AssertionPlace::bearer)
        reply.header(
            variables ? "Variable-CONSENTGATE_AUTHORIZATION" : "Consentgate-Authorization",
            "Bearer " + grant.assertion);
    else
        reply.header(
            variables ? "Variable-CONSENTGATE_ASSERTION" : "Consentgate-Assertion",
            grant.assertion);
}

// The web server alone reads these headers. Apache would pass Content-Length on to the client.
Reply allow(
    const usecase::CallGrant& grant, const core::GuardedResource& resource, const Request& request,
    const Gate& gate) {
    Reply reply;
    reply.bare = true;
    const bool variables = request.asked == Asked::as_authorizer;
    reply.headers.reserve(18);
    const bool shows_all = !request.shows_facts;
    auto facts =
        core::gate_facts(*grant.view, grant.person && shows_all ? &*grant.person : nullptr);
    if (variables)
        reply.header("Variable-REMOTE_USER", facts.front().value)
            .header("Variable-CONSENTGATE_PASSED", "1");
    for (auto& fact : facts) {
        const auto name = name_of(fact.kind);
        reply.header(variables ? name.variable : name.header, std::move(fact.value));
    }
    add_assertion(reply, grant, resource, variables);
    if (!grant.upstream) return reply;
    if (has_own_header(grant)) {
        reply.header(
            variables ? "Variable-CONSENTGATE_KEY" : "Consentgate-Key", grant.upstream->reveal());
        // For lighttpd's script; the files of the others name the header.
        if (variables) reply.header("Variable-CONSENTGATE_KEY_HEADER", grant.key_header);
    } else {
        reply.header(
            variables ? "Variable-CONSENTGATE_AUTHORIZATION" : "Consentgate-Authorization",
            "Bearer " + grant.upstream->reveal());
    }
    reply.header(variables ? "Variable-CONSENTGATE_CALL" : "Consentgate-Call", grant.call)
        .header(
            variables ? "Variable-CONSENTGATE_AGAIN" : "Consentgate-Again",
            challenge_in_place(resource, gate));
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

// mod_fcgid sends variables to clients, and an .htaccess from before them hides those it knows.
core::Error would_be_shown(const std::string& what, const std::string& mark) {
    constexpr int retry_seconds = 3600; // time changes nothing here; the log names the cure
    return core::make_error(
        ErrorCode::service_unavailable, core::PublicMessage{"this web server cannot carry " + what},
        core::LogDetail{"its .htaccess is older: it lacks " + mark + "; copy the shipped one"}, {},
        core::RetryAfter{retry_seconds});
}

// A refusal as every client reads it, whichever web server stands between.
struct Refusal {
    int status = 401;
    std::string error, description; // ASCII without quotation marks
    std::string challenge{};        // empty: signing in would not help
    int retry_after = 0;            // seconds; 0: not now or later
    std::string code, reason;       // for the log

    std::string body() const {
        core::FlatJson json;
        return json.text("error", error).text("error_description", description).str();
    }
};

// OAuth has no word for a refusal that no sign-in changes.
std::string_view word_of(const core::Error& error) {
    return error.code == ErrorCode::forbidden || error.code == ErrorCode::access_refused
               ? "forbidden"
               : core::traits(error.code).oauth_error;
}

// in:  error     null: no token came
//      resource  null: none was found, or an exception came first
Refusal refuse(const core::Error* error, const core::GuardedResource* resource, const Gate& gate) {
    if (!error)
        return {
            .error = "unauthorized",
            .description = "sign in to call this server",
            .challenge =
                bearer_challenge(resource->url, gate.deps.policy.scopes_of(*resource), nullptr),
            .code = "no_token",
            .reason = {}};
    usecase::count_refusal(gate.deps, *error, "gate");
    const auto& traits = core::traits(error->code);
    Refusal refusal{
        .status = gate_status(*error),
        .error = std::string(word_of(*error)),
        .description = core::plain_ascii(error->message),
        .code = std::string(traits.name),
        .reason = error->reason};
    const bool challenged = refusal.status == 401 || refusal.status == 400 ||
                            error->code == ErrorCode::insufficient_scope;
    if (resource && challenged) {
        const auto* needed = error->find<core::NeededScope>();
        const auto scope = needed ? core::ScopeSet::parse(needed->names) : std::nullopt;
        refusal.challenge = bearer_challenge(
            resource->url, scope.value_or(gate.deps.policy.scopes_of(*resource)), error);
    }
    if (refusal.status == 503 || refusal.status == 429)
        refusal.retry_after = error->retry_after_seconds() > 0 ? error->retry_after_seconds() : 2;
    return refusal;
}

// A yes to mod_fcgid, which the .htaccess refuses for want of CONSENTGATE_PASSED.
Reply softly(const Refusal& refusal) {
    Reply reply;
    reply.bare = true;
    reply.header("Variable-CONSENTGATE_REFUSED", refusal.body());
    if (!refusal.challenge.empty())
        reply.header("Variable-CONSENTGATE_CHALLENGE", refusal.challenge);
    return reply;
}

// nginx keeps neither body nor status of what is neither 401 nor 403.
int nginx_status(int status) {
    return status < 500 && status != 401 && status != 429 ? 403 : status;
}

Reply deny(const Refusal& refusal, const Request& request) {
    const bool nginx = request.asked == Asked::to_answer;
    if (!nginx && request.soft_no && refusal.status == 403) return softly(refusal);
    auto reply = answer_json(nginx ? nginx_status(refusal.status) : refusal.status, refusal.body());
    reply.header("Cache-Control", "no-store");
    if (!refusal.challenge.empty()) reply.header("WWW-Authenticate", refusal.challenge);
    if (refusal.retry_after > 0) reply.header("Retry-After", std::to_string(refusal.retry_after));
    if (nginx)
        reply.header("Consentgate-Status", std::to_string(refusal.status))
            .header("Consentgate-Error", refusal.error)
            .header("Consentgate-Say", refusal.description);
    return open_to_browsers(std::move(reply));
}

// A grant, the answer to a preflight, or a refusal.
using Decision = std::variant<Reply, Refusal>;

// in: origin  absent: no page's program calls
std::optional<core::Error> check_origin(
    const std::optional<std::string>& origin, const core::GuardedResource& resource) {
    constexpr std::size_t max_logged = 200;
    if (!origin || resource.origins.admits(*origin)) return std::nullopt;
    return core::make_error(
        ErrorCode::forbidden,
        core::PublicMessage{
            "programs on the page that you came from may not call this server; its operator can "
            "allow them"},
        core::LogDetail{"foreign origin: " + core::plain_ascii(*origin).substr(0, max_logged)});
}

Decision validate(const Request& request, Gate& gate) {
    const auto resource = gate.resources.find(request.path);
    const auto* found = resource ? *resource : nullptr;
    const auto refused = [&](const core::Error& error) { return refuse(&error, found, gate); };
    if (request.lax_names)
        return refused(core::make_error(
            ErrorCode::invalid_request, core::PublicMessage{std::string(lax_names_message)},
            core::LogDetail{"the web server passes names on that servers read as the gate's"}));
    if (request.claims_facts)
        return refused(core::make_error(
            ErrorCode::invalid_request,
            core::PublicMessage{"the request brings a header that only the gate may set"},
            core::LogDetail{"a header by the name of a fact, which files of before let through"}));
    if (!found) return refused(resource.error());
    if (const auto error = check_origin(request.origin, *found)) return refused(*error);
    if (request.method == "OPTIONS" && request.asked == Asked::as_authorizer)
        return open_to_browsers(answer_mcp_preflight(request));
    const auto token = read_token(request);
    if (!token) return refused(token.error());
    if (!*token) return refuse(nullptr, found, gate);
    const auto grant = usecase::authorize_call(gate.deps, *found, **token, request.now);
    if (!grant) return refused(grant.error());
    if (request.shows_key && has_own_header(*grant))
        return refused(would_be_shown("the key of this account", "CONSENTGATE_HIDES_KEY"));
    if (request.shows_facts && found->facts.assertion == core::AssertionPlace::header)
        return refused(would_be_shown("the assertion of this call", "CONSENTGATE_HIDES_FACTS"));
    auto allowed = allow(*grant, *found, request, gate);
    if (const auto error = check_limits(allowed, request.limits)) return refused(*error);
    gate.deps.note_use(grant->view->session, request.remote_addr, request.now);
    return allowed;
}

Decision decide_safely(const Request& request, Gate& gate) {
    const auto refused = [&](ErrorCode code, const char* message, const std::exception& failure) {
        const auto error =
            core::make_error(code, core::PublicMessage{message}, core::LogDetail{failure.what()});
        return refuse(&error, nullptr, gate);
    };
    try {
        return validate(request, gate);
    } catch (const store::StoreFailure& failure) {
        return refused(ErrorCode::store_unavailable, "the database is away; try again", failure);
    } catch (const std::exception& failure) {
        return refused(ErrorCode::server_error, "something went wrong here", failure);
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

bool claims_new_fact(std::string_view parameter) {
    constexpr std::string_view ours = "HTTP_CONSENTGATE_";
    if (!parameter.starts_with(ours)) return false;
    const auto name = parameter.substr(ours.size());
    return name == "EMAIL" || name == "GROUPS" || name == "GROUPS_OMITTED" || name == "PROVIDER" ||
           name == "ASSERTION";
}

bool takes_soft_no(std::string_view role, std::string_view soft_no) {
    return role == "ACCESS_CHECKER" && soft_no == "1";
}

bool shows_variable(std::string_view role, std::string_view hides) {
    return role == "ACCESS_CHECKER" && hides != "1";
}

Reply decide(const Request& request, Gate& gate) {
    const sys::Stopwatch watch;
    auto decision = decide_safely(request, gate);
    const auto* refusal = std::get_if<Refusal>(&decision);
    if (auto* metrics = gate.deps.metrics) {
        const bool preflight = !refusal && std::get<Reply>(decision).status != 200;
        metrics->count(
            sys::Metric::gate_decisions, {{"result", refusal     ? refusal->code
                                                     : preflight ? "preflight"
                                                                 : "allowed"}});
        metrics->observe(sys::Metric::gate_seconds, {}, watch.taken());
    }
    if (!refusal) return std::get<Reply>(std::move(decision));
    // The web server logs the requests that pass; a refusal is logged here, with its reason.
    gate.deps.log.event(
        "gate", {{"event_id", request.event_id},
                 {"method", logged_method(request)},
                 {"status", std::to_string(refusal->status)},
                 {"error", refusal->code},
                 {"reason", refusal->reason.empty() ? "-" : refusal->reason}});
    return deny(*refusal, request);
}

} // namespace consentgate::web
