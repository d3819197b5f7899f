#include "consentgate/usecase/upstream_endings.h"

#include "service_call.h"

#include "consentgate/core/vault.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/log.h"

#include <set>

namespace consentgate::usecase {
namespace {

using core::Told;
using store::Outcome;

constexpr std::size_t batch = 20;
constexpr core::Span longest_turn{3}; // after that no further one is begun: the worker has requests to answer

struct Answer {
    Told told = Told::no;
    const char* why = ""; // when it was not, for the log
};

Answer ask(World& world, const core::UpstreamToken& token) {
    const auto service = world.store.find_service(token.service);
    if (!service || service->revocation_endpoint.empty()) return {Told::no, "it offers no revocation"};
    const auto secret = client_secret_of(world, *service);
    if (!secret) return {Told::no, "our secret there does not open"};
    const auto revoke = [&](const std::string& sealed, const std::string& place, std::string_view hint) {
        const auto clear = sealed.empty() ? std::nullopt : core::unseal(world.keyring, token.key_id, sealed, place);
        if (!clear) return Told::no;
        return core::read_revocation_reply(call_service(world, core::revocation_request(*service, *secret, *clear, hint)));
    };
    // A refresh token ends the grant with all its access tokens at most providers, but not at all of them (RFC 7009 section 2.1).
    const auto refresh = revoke(token.refresh_token, token.refresh_place(), "refresh_token");
    if (refresh == Told::later) return {Told::later, "it is away"};
    const auto access = revoke(token.access_token, token.access_place(), "access_token");
    if (access == Told::later) return {Told::later, "it is away"};
    if (refresh == Told::yes || access == Told::yes) return {Told::yes};
    return {Told::no, "it refused"};
}

// out: absent when another worker is at it
std::optional<Told> tell(World& world, const core::UpstreamToken& token, core::Instant now) {
    const auto lease = world.random.id(16);
    const auto until = now + 2 * world.policy.upstream_lease; // two requests
    if (world.store.claim_refresh(token.id, token.version, lease, until, now) == Outcome::gone) return std::nullopt;
    const auto [told, why] = ask(world, token);
    const auto again = told == Told::later ? core::after_untold(token, now) : std::nullopt;
    if (again) {
        world.store.note_refresh_failure(*again, lease, now);
        world.store.postpone_ended_tokens(token.service, *again->retry_at);
    } else {
        world.store.remove_upstream_token(token.id);
    }
    if (told == Told::yes) sys::log_event("told", {{"service", token.service.text}, {"connection", token.id}});
    else sys::log_event("untold", {{"service", token.service.text}, {"connection", token.id}, {"why", why}, {"again", again ? "yes" : "no"}});
    return told;
}

} // namespace

void tell_now(World& world, const core::UpstreamToken& token, core::Instant now) {
    const auto ended = world.store.find_upstream_token(core::ended_owner(token.id), token.service);
    if (ended && (!ended->retry_at || *ended->retry_at <= now)) tell(world, *ended, now);
}

void disconnect(World& world, const core::UpstreamToken& token, core::Instant now) {
    if (world.store.end_upstream_token(token.id, now) == Outcome::done) tell_now(world, token, now); // else somebody else's request was first
}

std::size_t tell_services(World& world, core::Instant now) {
    std::size_t done = 0;
    std::set<core::ServiceId> away;
    const auto begun = sys::now();
    for (const auto& token : world.store.list_ended_tokens(now, batch)) {
        if (away.contains(token.service)) continue;
        if (sys::now() - begun >= longest_turn) break;
        const auto told = tell(world, token, now + (sys::now() - begun));
        if (!told || *told == Told::later) away.insert(token.service); // or another worker is there
        else ++done;
    }
    return done;
}

} // namespace consentgate::usecase
