#include "service_turn.h"

#include "service_call.h"

#include "consentgate/core/upstream/service_failure.h"

#include <utility>

namespace consentgate::usecase {

using Outcome = sys::ServiceRests::Outcome;
using Change = sys::ServiceRests::Change;

ServiceTurn::ServiceTurn(Dependencies& deps, const core::Service& service, std::string account)
    : deps_(deps), service_(service), account_(std::move(account)) {
    if (deps_.rests)
        entry_ = deps_.rests->enter(service_.id, deps_.clock.now(), deps_.policy.upstream_lease);
}

ServiceTurn::~ServiceTurn() {
    if (!entry_.rests) leave(Outcome::not_asked);
}

core::Error ServiceTurn::resting() const {
    return unavailable("it rests, because it did not answer", entry_.rests.value_or(core::Span(0)));
}

core::ServiceReply ServiceTurn::call(sys::PlaceKind purpose, core::ServiceRequest request) {
    if (entry_.rests) return {};
    auto reply = call_service(deps_, service_, purpose, std::move(request));
    // An invented code, which asks whether the service still knows us, is meant to be refused.
    if (const auto cause = core::failure_of(reply).cause;
        cause != core::FailureCause::none && purpose != sys::PlaceKind::registration)
        deps_.count(
            sys::Metric::service_failures,
            {{"service", service_.id.text}, {"cause", core::name_of(cause)}});
    leave(reply.timed_out ? Outcome::timed_out : Outcome::in_time);
    return reply;
}

void ServiceTurn::leave(Outcome outcome) {
    if (!deps_.rests) return;
    const auto entry = std::exchange(entry_, {});
    const auto left = deps_.rests->leave(service_.id, entry, outcome, account_, deps_.clock.now());
    switch (left.change) {
    case Change::none: return;
    case Change::rests:
        deps_.log.event(
            "service_rests",
            {{"service", service_.id.text}, {"seconds", std::to_string(left.time.count())}});
        return;
    case Change::awake: deps_.log.event("service_awake", {{"service", service_.id.text}}); return;
    }
}

} // namespace consentgate::usecase
