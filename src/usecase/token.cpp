#include "consentgate/usecase/token.h"

#include "consentgate/usecase/gate.h"

#include "consentgate/core/grant.h"
#include "consentgate/sys/log.h"

namespace consentgate::usecase {
namespace {

using core::Fault;
using store::Outcome;

constexpr int most_judgements = 5; // how often a token that changes under us is judged again
constexpr int most_steps = 100;    // of one client's other processes, within the grace

using core::Granted;

constexpr core::Span touch_every{86400}; // last_used_at is kept to the day, so that most exchanges need no write for it

// A code or refresh token that comes a second time was stolen, or the first was: its session ends, and the operator is told.
void end_replayed(World& world, const core::Session& session, const char* of, core::Instant now) {
    world.store.revoke_session(session.id, now);
    sys::log_audit("replay", {{"of", of}, {"session", session.id.text}, {"client", session.client_id.text}});
}

core::Error replayed(World& world, const core::Session& session, core::Instant now) {
    end_replayed(world, session, "code", now);
    return core::refuse(Fault::invalid_grant, core::Say{"the code or its verifier is not valid"}, core::Why{"replayed code: session revoked"});
}

core::Error no_key() {
    return core::refuse(Fault::server_error, core::Say{"the token cannot be made"}, core::Why{"its server key is not in the key file"});
}

core::Result<Granted> exchange_code(World& world, const Sender& sender, core::Instant now) {
    const auto client = authenticate_client(world, sender, now);
    if (!client) return client.error();
    const auto request = core::parse_exchange(sender.form, client->id);
    if (!request) return request.error();

    const auto hash = core::sha256(request->code);
    const auto found = world.store.find_code(hash);
    const auto verdict = found ? core::judge_exchange(*request, found->code, found->session, now)
                               : core::judge_exchange(*request, std::nullopt, std::nullopt, now);
    if (!verdict) return verdict.error();
    if (*verdict == core::Exchange::replay) return replayed(world, found->session, now);

    auto token = world.keyring.session_token(found->code.key_id, request->code);
    if (!token) return no_key();
    auto refresh = core::first_refresh(found->code, request->code, found->session, client->refresh, world.keyring, world.policy, now);
    const auto stored = refresh ? std::optional(refresh->token) : std::nullopt;
    // gone: another request redeemed it between our look and our write, which makes this one the second use.
    if (world.store.redeem_code(hash, world.random.id(16), stored, now) == Outcome::gone) return replayed(world, found->session, now);
    if (!client->last_used_at || *client->last_used_at + touch_every < now) world.store.touch_client(client->id, now);
    return Granted{std::move(*token), refresh ? std::optional(std::move(refresh->secret)) : std::nullopt, found->session};
}

// The end of the chain that begins with a used token: what its successor, or its successor's successor, is now. Another
// process of the client may be ahead of this one by more than one step.
struct Step {
    core::Secret token;
    core::RefreshView found;
};

Step last_used(World& world, Step step) {
    for (int steps = 0; steps < most_steps; ++steps) {
        auto next = world.keyring.refresh_token(step.found.token.key_id, step.token);
        auto found = next ? world.store.find_refresh_token(core::sha256(*next)) : std::nullopt;
        if (!found || !found->token.used_at) break;
        step = {std::move(*next), std::move(*found)};
    }
    return step;
}

// The answer that the rotation had, at the time it had it.
core::Result<Granted> repeat_refresh(World& world, Step first, const std::optional<core::ScopeSet>& scope) {
    const auto step = last_used(world, std::move(first));
    auto again = core::rotate(step.token, step.found, scope, world.keyring, world.policy, *step.found.token.used_at);
    if (!again) return no_key();
    world.store.put_access_token(again->rotation.access); // there already, unless this one asks for other scopes
    return std::move(again->granted);
}

core::Result<Granted> refresh(World& world, const Sender& sender, core::Instant now) {
    const auto client = authenticate_client(world, sender, now);
    if (!client) return client.error();
    if (!client->refresh) return core::refuse(Fault::unauthorized_client, core::Say{"this client did not register the refresh_token grant"}, core::Why{}, "grant_type");
    const auto request = core::parse_refresh(sender.form, client->id);
    if (!request) return request.error();
    const auto hash = core::sha256(request->token);
    for (int judgement = 0; judgement < most_judgements; ++judgement) {
        const auto found = world.store.find_refresh_token(hash);
        const auto verdict = core::judge_refresh(*request, found, world.policy, now);
        if (!verdict) return verdict.error();
        if (*verdict == core::Refreshing::reuse) {
            end_replayed(world, found->session.session, "refresh_token", now);
            return core::refuse(Fault::invalid_grant, core::Say{"the refresh token is not valid"}, core::Why{"reused: session revoked"});
        }
        const auto& session = found->session.session;
        if (lacks_connection(world, session.resource, core::token_owner(session.identity, session.id), now)) {
            // The client then signs in anew, and the person meets the page where they can connect it.
            return core::refuse(Fault::invalid_grant, core::Say{"an account has to be connected first; sign in again"}, core::Why{"the resource's service is not connected"});
        }
        if (*verdict == core::Refreshing::repeat) return repeat_refresh(world, {request->token, *found}, request->scope);
        auto rotated = core::rotate(request->token, *found, request->scope, world.keyring, world.policy, now);
        if (!rotated) return no_key();
        if (world.store.rotate_refresh_token(rotated->rotation, now) == Outcome::done) return std::move(rotated->granted);
    } // gone: another request rotated it, or its session ended, between our look and our write; look again
    return core::refuse(Fault::store_unavailable, core::Say{"this token is being refreshed; try again"}, core::Why{"the token kept changing"});
}

void end_by_client(World& world, const core::Session& session, core::Instant now) {
    if (world.store.revoke_session(session.id, now) == Outcome::gone) return;
    sys::log_audit("revoked", {{"session", session.id.text}, {"client", session.client_id.text}});
}

} // namespace

core::Result<core::Granted> grant_token(World& world, const Sender& sender, core::Instant now) {
    const auto grant = core::parse_grant_type(sender.form, world.policy);
    if (!grant) return grant.error();
    return *grant == core::GrantType::refresh_token ? refresh(world, sender, now) : exchange_code(world, sender, now);
}

core::Checked revoke_token(World& world, const Sender& sender, core::Instant now) {
    if (auto repeated = sender.form.refuse_repeated(); !repeated) return repeated.error();
    const auto client = authenticate_client(world, sender, now);
    if (!client) return client.error();
    const auto token = sender.form.get("token");
    if (!token) return core::refuse(Fault::invalid_request, core::Say{"token is missing"}, core::Why{}, "token");
    const auto hash = core::sha256(*token);
    if (const auto found = world.store.find_refresh_token(hash)) {
        if (found->session.session.client_id == client->id) end_by_client(world, found->session.session, now);
        return core::Nothing{};
    }
    const auto found = world.store.find_session(hash);
    if (!found || found->session.client_id != client->id) return core::Nothing{};
    // A session with nothing to refresh it ends with its only token.
    if (!found->session.token_expires_at) end_by_client(world, found->session, now);
    else world.store.revoke_access_token(hash, now);
    return core::Nothing{};
}

} // namespace consentgate::usecase
