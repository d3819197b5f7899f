#include "consentgate/core/upstream/client_refusal.h"

namespace consentgate::core {

ClientRefusalStep step_after_client_refusal(const Service& service, Instant now) {
    if (service.registration != Registration::dynamic || service.registration_endpoint.empty())
        return ClientRefusalStep::leave;
    const auto& first = service.client_refused_at;
    if (!first || now < *first) return ClientRefusalStep::remember; // or a clock was set back
    if (now - *first < client_refusal_pause) return ClientRefusalStep::wait;
    const auto& after = service.register_after;
    const bool soon = after && now < *after && *after - now <= registers_every;
    return soon ? ClientRefusalStep::wait : ClientRefusalStep::ask;
}

std::string_view name_of(ClientRefusalStep step) {
    switch (step) {
    case ClientRefusalStep::leave: return "operator";
    case ClientRefusalStep::remember: return "remember";
    case ClientRefusalStep::wait: return "wait";
    case ClientRefusalStep::ask: return "ask";
    }
    return "operator";
}

UpstreamError answer_about_us(const TokenReply& reply) {
    return reply.word == "unauthorized_client" ? UpstreamError::client_refused : reply.error;
}

Service with_client_refused(Service service, Instant now) {
    service.client_refused_at = now;
    return service;
}

Service with_client_known(Service service) {
    service.client_refused_at.reset();
    return service;
}

Service with_registration_after(Service service, Instant at) {
    service.register_after = at;
    return service;
}

} // namespace consentgate::core
