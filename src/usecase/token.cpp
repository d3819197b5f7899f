#include "consentgate/usecase/token.h"

#include "consentgate/core/grant.h"

namespace consentgate::usecase {
namespace {

using core::Fault;
using store::Outcome;

constexpr core::Span touch_every{86400}; // last_used_at is kept to the day, so that most exchanges need no write for it

core::Error replayed(World& world, const core::SessionId& session, core::Instant now) {
    world.store.revoke_session(session, now);
    return core::refuse(Fault::invalid_grant, core::Say{"the code or its verifier is not valid"}, core::Why{"replayed code: session revoked"});
}

} // namespace

core::Result<Granted> exchange_code(World& world, const core::Form& form, core::Instant now) {
    const auto request = core::parse_exchange(form);
    if (!request) return request.error();
    const auto client = world.store.find_client(request->client_id);
    if (!client || !client->active) return core::refuse(Fault::invalid_client, core::Say{"this client is not registered here"}, core::Why{}, "client_id");

    const auto hash = core::sha256(request->code);
    const auto found = world.store.find_code(hash);
    const auto verdict = found ? core::judge_exchange(*request, found->code, found->session, now)
                               : core::judge_exchange(*request, std::nullopt, std::nullopt, now);
    if (!verdict) return verdict.error();
    if (*verdict == core::Exchange::replay) return replayed(world, found->session.id, now);

    auto token = world.keyring.session_token(found->code.key_id, request->code);
    if (!token) return core::refuse(Fault::server_error, core::Say{"the token cannot be made"}, core::Why{"its server key is not in the key file"});
    // gone: another request redeemed it between our look and our write, which makes this one the second use.
    if (world.store.redeem_code(hash, world.random.id(16), now) == Outcome::gone) return replayed(world, found->session.id, now);
    if (!client->last_used_at || *client->last_used_at + touch_every < now) world.store.touch_client(client->id, now);
    return Granted{std::move(*token), found->session};
}

} // namespace consentgate::usecase
