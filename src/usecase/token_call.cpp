#include "token_call.h"

#include "client_refusal.h"

namespace consentgate::usecase {
namespace {

void remember_without_resource(Dependencies& deps, const core::Service& stored) {
    auto current = deps.store.services.find(stored.id);
    if (!current || current->resource != stored.resource || !current->names_resource()) return;
    current->resource_refused = true;
    if (deps.store.services.update(*current) == store::Applied::yes)
        deps.log.event("upstream_resource_refused", {{"service", stored.id.text}});
}

} // namespace

TokenAnswer ask_for_tokens(
    ServiceTurn& turn, const core::Service& service, sys::PlaceKind purpose,
    const std::function<core::ServiceRequest(const core::Service&)>& request) {
    auto reply = core::read_token_reply(turn.call(purpose, request(service)));
    if (reply.tokens || reply.error != core::UpstreamError::resource_refused ||
        !service.names_resource())
        return {std::move(reply)};
    auto without = service;
    without.resource_refused = true;
    auto second = core::read_token_reply(turn.call(purpose, request(without)));
    const bool good = second.tokens.has_value();
    return {std::move(second), good};
}

void note_good_answer(
    Dependencies& deps, const core::Service& stored, const core::Service& asked,
    const TokenAnswer& answer) {
    if (asked.registration_id == stored.registration_id) note_client_known(deps, stored);
    if (answer.without_resource) remember_without_resource(deps, stored);
}

} // namespace consentgate::usecase
