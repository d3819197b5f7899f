// Asking a service, which may rest because it did not answer. Private to this module.
#pragma once

#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/dependencies.h"

#include <string>

namespace consentgate::usecase {

// The right to ask a service, taken before anything is used up that cannot be used again.
class ServiceTurn {
public:
    // in: account  for whom it is asked: an account's id, or what stands for the person
    ServiceTurn(Dependencies& deps, const core::Service& service, std::string account);
    ~ServiceTurn(); // without a call, the next request may be the trial in place of this one
    ServiceTurn(const ServiceTurn&) = delete;
    ServiceTurn& operator=(const ServiceTurn&) = delete;

    // How long nobody may ask; absent: this turn may.
    const std::optional<core::Span>& rest() const { return entry_.rests; }
    // service_unavailable, for as long as the service rests.
    core::Error resting() const;

    // Never throws; a service that rests or does not answer is one of the replies.
    core::ServiceReply call(sys::PlaceKind purpose, core::ServiceRequest request);

private:
    void leave(sys::ServiceRests::Outcome outcome);

    Dependencies& deps_;
    const core::Service& service_;
    std::string account_;
    sys::ServiceRests::Entry entry_;
};

} // namespace consentgate::usecase
