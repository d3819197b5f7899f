#include "client_refusal.h"

#include "service_call.h"

#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/usecase/services.h"

namespace consentgate::usecase {
namespace {

using core::ClientRefusalStep;
using core::UpstreamError;
using store::Applied;

// It knew us when it refused something else than the client.
bool knows_us(const core::TokenReply& reply) {
    return reply.tokens || reply.error == UpstreamError::refused ||
           reply.error == UpstreamError::odd_refusal ||
           reply.error == UpstreamError::resource_refused;
}

UpstreamError refused_as_former(Dependencies& deps, const core::Service& refused) {
    const auto former = deps.store.services.find_former(refused.id, refused.registration_id);
    return !former || former->refused_at ? UpstreamError::refused : UpstreamError::odd_refusal;
}

// One worker registers, because the others find the time that it wrote.
UpstreamError replace(Dependencies& deps, const core::Service& current, core::Instant now) {
    const auto claimed =
        core::with_registration_after(current, now + 2 * deps.policy.upstream_lease);
    if (deps.store.services.update(claimed) == Applied::no) return UpstreamError::client_refused;
    auto stored = claimed;
    ++stored.version;
    const auto renewed = re_register(deps, stored);
    deps.log.event(
        "upstream_registration", {{"service", current.id.text},
                                  {"renewed", renewed ? "yes" : "no"},
                                  {"reason", renewed ? "" : renewed.error().message}});
    if (renewed) return UpstreamError::refused;
    deps.store.services.update(
        core::with_registration_after(stored, now + core::registers_again_after_failure));
    return UpstreamError::client_refused;
}

UpstreamError ask_and_replace(
    Dependencies& deps, ServiceTurn& turn, const core::Service& current, core::Instant now) {
    const auto reply = ask_whether_known(deps, turn, current);
    if (knows_us(reply)) return UpstreamError::odd_refusal;
    return reply.error == UpstreamError::client_refused ? replace(deps, current, now)
                                                        : UpstreamError::client_refused;
}

} // namespace

core::TokenReply ask_whether_known(
    Dependencies& deps, ServiceTurn& turn, const core::Service& service) {
    const auto secret = client_secret_of(deps, service);
    if (!secret) return {std::nullopt, UpstreamError::unavailable, secret.error().reason};
    auto reply = core::read_token_reply(turn.call(
        sys::PlaceKind::registration,
        core::code_request(
            service, *secret, deps.random.secret(), deps.random.secret(),
            core::callback_url(deps.policy, service.own_callback()))));
    reply.error = core::answer_about_us(reply);
    if (knows_us(reply)) note_client_known(deps, service);
    return reply;
}

UpstreamError follow_client_refusal(
    Dependencies& deps, ServiceTurn& turn, const core::Service& refused, core::Instant now) {
    const auto current = deps.store.services.find(refused.id);
    if (!current) return UpstreamError::client_refused;
    if (current->registration_id != refused.registration_id)
        return refused_as_former(deps, refused);
    const auto step = core::step_after_client_refusal(*current, now);
    deps.log.event(
        "upstream_client_refused",
        {{"service", current->id.text}, {"step", std::string(name_of(step))}});
    switch (step) {
    case ClientRefusalStep::leave:
    case ClientRefusalStep::wait: break;
    case ClientRefusalStep::remember:
        deps.store.services.update(core::with_client_refused(*current, now)); // or another did
        break;
    case ClientRefusalStep::ask: return ask_and_replace(deps, turn, *current, now);
    }
    return UpstreamError::client_refused;
}

void note_client_known(Dependencies& deps, const core::Service& service) {
    if (service.client_refused_at) deps.store.services.update(core::with_client_known(service));
}

} // namespace consentgate::usecase
