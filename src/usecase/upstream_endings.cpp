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
constexpr std::chrono::milliseconds look_every{100};
constexpr core::Span longest_turn{3}; // after that no further one is begun: the worker has requests to answer

struct Answer {
    Told told = Told::no;
    const char* why = "";  // when it was not, for the log
    bool again = false;   // its row stays, for a later try
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
std::optional<Answer> tell_once(World& world, const core::UpstreamToken& token, core::Instant now) {
    const auto lease = world.random.id(16);
    const auto until = now + 2 * world.policy.upstream_lease; // two requests
    if (world.store.claim_refresh(token.id, token.version, lease, until, now) == Outcome::gone) return std::nullopt;
    auto answer = ask(world, token);
    const auto again = answer.told == Told::later ? core::after_untold(token, now) : std::nullopt;
    if (again) {
        world.store.note_refresh_failure(*again, lease, now);
        world.store.postpone_ended_tokens(token.service, *again->retry_at);
    } else {
        world.store.remove_upstream_token(token.id);
    }
    answer.again = again.has_value();
    return answer;
}

std::optional<Told> tell(World& world, const core::UpstreamToken& token, core::Instant now) {
    const auto answer = tell_once(world, token, now);
    if (!answer) return std::nullopt;
    if (answer->told == Told::yes) sys::log_event("told", {{"service", token.service.text}, {"connection", token.id}});
    else sys::log_event("untold", {{"service", token.service.text}, {"connection", token.id}, {"why", answer->why}, {"again", answer->again ? "yes" : "no"}});
    return answer->told;
}

void note(Parting& parting, const Answer& answer) {
    if (answer.told == Told::yes) {
        ++parting.told;
        return;
    }
    parting.why = answer.why;
    if (!answer.again) ++parting.untold;
}

} // namespace

void tell_now(World& world, const core::UpstreamToken& token, core::Instant now) {
    const auto ended = world.store.find_upstream_token(core::ended_owner(token.id), token.service);
    if (ended && (!ended->retry_at || *ended->retry_at <= now)) tell(world, *ended, now);
}

void disconnect(World& world, const core::UpstreamToken& token, core::Instant now) {
    if (world.store.end_upstream_token(token.id, now) == Outcome::done) tell_now(world, token, now); // else somebody else's request was first
}

Parting part_with(World& world, const core::ServiceId& service, const std::function<bool(const Parting&)>& go_on) {
    Parting parting;
    bool going = true, away = false;
    while (world.store.end_tokens_at(service, sys::now(), batch) > 0) {}
    while (going && !away) {
        const auto tokens = world.store.list_ended_tokens_at(service, sys::now(), batch);
        if (tokens.empty()) {
            if (world.store.count_tokens_at(service) == 0 || !go_on(parting)) break;
            sys::pause(look_every); // another worker is at the rest
        }
        for (const auto& token : tokens) {
            going = go_on(parting);
            if (!going || away) break;
            const auto answer = tell_once(world, token, sys::now());
            if (!answer) continue;
            note(parting, *answer);
            away = answer->told == Told::later;
        }
    }
    parting.left = world.store.count_tokens_at(service);
    return parting;
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
