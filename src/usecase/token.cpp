#include "consentgate/usecase/token.h"

#include "consentgate/usecase/gate.h"
#include "consentgate/usecase/person_recheck.h"
#include "consentgate/usecase/rights.h"

#include "consentgate/core/oauth/grant.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/signin/signin_request.h"

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

constexpr int max_attempts = 5; // how often the rules are applied again to a token that changed
constexpr int max_steps = 100;  // of one client's other processes, within the grace

using core::TokenGrant;

constexpr core::Span record_use_every{
    86400}; // last_used_at is kept to the day, so that most exchanges need no write for it

// A code or refresh token that comes again later was stolen, or the first request was: ends its
// session and writes an audit event.
void end_replayed(
    Dependencies& deps, const core::Session& session, const char* of, core::Instant now) {
    deps.store.sessions.revoke(session.id, now);
    deps.log.audit(
        "token_replayed", {{"kind", of},
                           {"session", session.id.text},
                           {"client", session.client_id.text},
                           {"subject", core::logged_subject(session)}});
}

core::Error code_spent(const char* reason) {
    return core::make_error(
        ErrorCode::invalid_grant, core::PublicMessage{"the code or its verifier is not valid"},
        core::LogDetail{reason});
}

core::Error replayed(Dependencies& deps, const core::Session& session, core::Instant now) {
    end_replayed(deps, session, "code", now);
    return code_spent("replayed code: session revoked");
}

// The client redeemed it twice in one moment. The first request has the tokens.
core::Error repeated(Dependencies& deps, const core::Session& session) {
    deps.log.audit(
        "code_repeated", {{"session", session.id.text},
                          {"client", session.client_id.text},
                          {"subject", core::logged_subject(session)}});
    return code_spent("the code was redeemed a moment ago");
}

void record_use(Dependencies& deps, const core::Client& client, core::Instant now) {
    if (!client.last_used_at || *client.last_used_at + record_use_every < now)
        deps.store.clients.record_use(client.id, now);
}

core::Error no_key() {
    return core::make_error(
        ErrorCode::server_error, core::PublicMessage{"the token cannot be made"},
        core::LogDetail{"its server key is not in the key file"});
}

core::Error refused_grant(Dependencies& deps, const core::Error& refusal) {
    count_refusal(deps, refusal, "token");
    return core::make_error(
        ErrorCode::invalid_grant, core::PublicMessage{"this account may not use this resource now"},
        core::LogDetail{refusal.reason});
}

// The code is not spent by a refusal: what was taken away may be given back within its time.
core::Checked check_code_person(Dependencies& deps, const core::CodeView& found) {
    const auto rights = rights_of(deps, found.session.identity, found.standing);
    auto may = rights.check_resource(found.session.resource);
    return may ? may : core::Checked(refused_grant(deps, may.error()));
}

// The provider is asked about the person where the operator wants it.
// out:  false: it has just vouched for them, so that they have to be read again
core::Result<bool> check_person_vouched(
    Dependencies& deps, const Rights& rights, core::Instant now) {
    const auto& mark = rights.standing.person;
    const auto person = mark ? deps.store.people.find(mark->id) : std::nullopt;
    if (!person) return true;
    const auto rechecked = recheck_person(deps, *person, now);
    if (!rechecked) return rechecked.error();
    if (*rechecked == Recheck::good) return false;
    return core::check_vouched(*person, deps.policy, now).transform([] { return true; });
}

// The session with the scopes that rules leave of its own. It keeps what was granted, for the time
// when they leave more.
// fail: invalid_grant, invalid_scope
core::Result<core::RefreshView> permitted_refresh(
    Dependencies& deps, core::RefreshView found, const Rights& rights,
    const std::optional<core::ScopeSet>& asked) {
    auto& session = found.session.session;
    if (auto may = rights.check_resource(session.resource); !may)
        return refused_grant(deps, may.error());
    const auto granted = std::exchange(
        session.scope, rights.permitted_scope(session.resource, session.scope, deps.policy));
    if (session.scope.empty() && !granted.empty())
        return core::make_error(
            ErrorCode::invalid_grant,
            core::PublicMessage{"this account may use none of the scopes of this session now"},
            core::LogDetail{"rules refuse every scope"});
    const auto wanted = asked.value_or(core::ScopeSet{}).within(granted);
    if (!wanted.empty() && wanted.within(session.scope).empty())
        return core::make_error(
            ErrorCode::invalid_scope,
            core::PublicMessage{"this account may not have these scopes now"},
            core::LogDetail{"rules refuse every scope that was asked for"}, "scope");
    return found;
}

core::Result<TokenGrant> exchange_code(
    Dependencies& deps, const core::SentCredentials& credentials, const core::TokenRequest& sent,
    core::Instant now) {
    const auto client = authenticate_client(deps, credentials, now);
    if (!client) return client.error();
    const auto request = core::parse_code_request(sent, client->id);
    if (!request) return request.error();

    const auto hash = core::sha256(request->code);
    const auto found = deps.store.codes.find(hash);
    const auto verdict =
        found ? core::validate_code_request(*request, found->code, found->session, deps.policy, now)
              : core::validate_code_request(*request, std::nullopt, std::nullopt, deps.policy, now);
    if (!verdict) return verdict.error();
    if (*verdict == core::Exchange::replay) return replayed(deps, found->session, now);
    if (*verdict == core::Exchange::repeat) return repeated(deps, found->session);
    if (auto may = check_code_person(deps, *found); !may) return may.error();

    auto token = deps.keyring.session_token(found->code.key_id, request->code);
    if (!token) return no_key();
    auto refresh = core::first_refresh_token(
        found->code, request->code, found->session, client->refresh, deps.keyring, deps.policy,
        now);
    const auto stored = refresh ? std::optional(refresh->token) : std::nullopt;
    // Another request redeemed it between our read and our write, which is the same moment.
    if (deps.store.codes.redeem(hash, deps.random.id(16), stored, now) == Applied::no)
        return repeated(deps, found->session);
    record_use(deps, *client, now);
    return TokenGrant{
        std::move(*token), refresh ? std::optional(std::move(refresh->secret)) : std::nullopt,
        found->session};
}

// The last used token of the chain that begins with a used one, with the scopes that rules leave of
// it. Another process of the client may be ahead of this one by more than one step.
struct Step {
    core::Secret token;
    core::RefreshView found;
};

Step last_used(Dependencies& deps, Step step) {
    const auto permitted = step.found.session.session.scope;
    for (int steps = 0; steps < max_steps; ++steps) {
        auto next = deps.keyring.refresh_token(step.found.token.key_id, step.token);
        auto found = next ? deps.store.tokens.find_refresh(core::sha256(*next)) : std::nullopt;
        if (!found || !found->token.used_at) break;
        step = {std::move(*next), std::move(*found)};
    }
    step.found.session.session.scope = permitted;
    return step;
}

// The answer that the rotation of a used token had.
core::Result<TokenGrant> answer_again(
    Dependencies& deps, const Step& step, const std::optional<core::ScopeSet>& scope,
    core::Instant now) {
    auto again =
        core::repeat_rotation(step.token, step.found, scope, deps.keyring, deps.policy, now);
    if (!again) return no_key();
    // It exists already, unless this request asks for other scopes or the time of it is over.
    deps.store.tokens.put_access(again->rotation.access);
    return std::move(again->granted);
}

core::Error refresh_replayed(Dependencies& deps, const core::Session& session, core::Instant now) {
    end_replayed(deps, session, "refresh_token", now);
    return core::make_error(
        ErrorCode::invalid_grant, core::PublicMessage{"the refresh token is not valid"},
        core::LogDetail{"reused: session revoked"});
}

// A late repeat is a reuse when somebody has used the token that followed.
core::Result<core::RefreshUse> check_late_repeat(
    Dependencies& deps, const core::Secret& token, const core::RefreshToken& used) {
    const auto next = deps.keyring.refresh_token(used.key_id, token);
    if (!next) return no_key();
    const auto successor = deps.store.tokens.find_refresh(core::sha256(*next));
    return core::may_repeat_late(used, successor) ? core::RefreshUse::late_repeat
                                                  : core::RefreshUse::reuse;
}

core::Result<TokenGrant> repeat_late(
    Dependencies& deps, const Step& step, const std::optional<core::ScopeSet>& scope,
    core::Instant now) {
    const auto& session = step.found.session.session;
    if (deps.store.tokens.count_late_repeat(step.found.token.hash) == Applied::no)
        return refresh_replayed(deps, session, now);
    deps.log.audit(
        "refresh_repeated", {{"session", session.id.text},
                             {"client", session.client_id.text},
                             {"subject", core::logged_subject(session)}});
    return answer_again(deps, step, scope, now);
}

core::Result<TokenGrant> refresh(
    Dependencies& deps, const core::SentCredentials& credentials, const core::TokenRequest& sent,
    core::Instant now) {
    const auto client = authenticate_client(deps, credentials, now);
    if (!client) return client.error();
    if (!client->refresh)
        return core::make_error(
            ErrorCode::unauthorized_client,
            core::PublicMessage{"this client did not register the refresh_token grant"},
            core::LogDetail{}, "grant_type");
    const auto request = core::parse_refresh(sent, client->id);
    if (!request) return request.error();
    const auto hash = core::sha256(request->token);
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        const auto found = deps.store.tokens.find_refresh(hash);
        auto verdict = core::validate_refresh(*request, found, deps.policy, now);
        if (verdict && *verdict == core::RefreshUse::late_repeat)
            verdict = check_late_repeat(deps, request->token, found->token);
        if (!verdict) return verdict.error();
        const auto& session = found->session.session;
        if (*verdict == core::RefreshUse::reuse) return refresh_replayed(deps, session, now);
        const auto rights = rights_of(deps, session.identity, found->session.standing);
        const auto vouched = check_person_vouched(deps, rights, now);
        if (!vouched) return vouched.error();
        if (!*vouched) continue;
        const auto permitted = permitted_refresh(deps, *found, rights, request->scope);
        if (!permitted) return permitted.error();
        if (!connection_holds(deps, session, rights, now)) {
            // The client then starts a new sign-in, whose page offers the person to connect it.
            return core::make_error(
                ErrorCode::invalid_grant,
                core::PublicMessage{"an account has to be connected first; sign in again"},
                core::LogDetail{"the resource's service is not connected"});
        }
        if (*verdict == core::RefreshUse::repeat)
            return answer_again(
                deps, last_used(deps, {request->token, *permitted}), request->scope, now);
        if (*verdict == core::RefreshUse::late_repeat)
            return repeat_late(deps, {request->token, *permitted}, request->scope, now);
        auto rotated = core::rotate(
            request->token, *permitted, request->scope, deps.keyring, deps.policy, now);
        if (!rotated) return no_key();
        if (deps.store.tokens.rotate_refresh(rotated->rotation, now) == Applied::yes) {
            record_use(deps, *client, now);
            return std::move(rotated->granted);
        }
    } // another request rotated it, or ended its session, between our read and our write
    return core::make_error(
        ErrorCode::store_unavailable,
        core::PublicMessage{"this token is being refreshed; try again"},
        core::LogDetail{"the token kept changing"});
}

void end_by_client(Dependencies& deps, const core::Session& session, core::Instant now) {
    if (deps.store.sessions.revoke(session.id, now) == Applied::no) return;
    deps.log.audit(
        "token_revoked", {{"session", session.id.text},
                          {"client", session.client_id.text},
                          {"subject", core::logged_subject(session)}});
}

} // namespace

core::Result<core::TokenGrant> grant_token(
    Dependencies& deps, const core::SentCredentials& client, const core::TokenRequest& request,
    core::Instant now) {
    const auto grant = core::parse_grant_type(request, deps.policy);
    if (!grant) return grant.error();
    switch (*grant) {
    case core::GrantType::authorization_code: return exchange_code(deps, client, request, now);
    case core::GrantType::refresh_token: return refresh(deps, client, request, now);
    }
    return grant.error(); // not reached: the switch is exhaustive
}

core::Checked revoke_token(
    Dependencies& deps, const core::SentCredentials& credentials, const core::NamedToken& named,
    core::Instant now) {
    if (!named.not_repeated) return named.not_repeated.error();
    const auto client = authenticate_client(deps, credentials, now);
    if (!client) return client.error();
    const auto& token = named.token.value;
    if (!token)
        return core::make_error(
            ErrorCode::invalid_request, core::PublicMessage{"token is missing"}, core::LogDetail{},
            "token");
    const auto hash = core::sha256(*token);
    if (const auto found = deps.store.tokens.find_refresh(hash)) {
        if (found->session.session.client_id == client->id)
            end_by_client(deps, found->session.session, now);
        return core::Nothing{};
    }
    const auto found = deps.store.sessions.find(hash);
    if (!found || found->session.client_id != client->id) return core::Nothing{};
    // A session with nothing to refresh it ends with its only token.
    if (!found->session.token_expires_at)
        end_by_client(deps, found->session, now);
    else
        deps.store.tokens.revoke_access(hash, now);
    return core::Nothing{};
}

} // namespace consentgate::usecase
