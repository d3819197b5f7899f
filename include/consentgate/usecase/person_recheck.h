// The provider is asked about a person whose app goes on without them.
// spec: docs/requirements_signin.md SI58
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::usecase {

// Keeps what a sign-in brought to ask with, where the operator wants the provider to be asked.
void keep_provider_grant(
    Dependencies& deps, const core::IdentityProvider& idp, const core::PersonId& person,
    const std::optional<core::Secret>& refresh_token);

// The provider, or a fence around it, lets somebody in no more whom it let in before: ends their
// sign-ins and sessions.
void end_refused_person(Dependencies& deps, const core::Person& person, core::Instant now);

enum class Recheck {
    not_asked, // the last good word is new enough, or there is nothing to ask with
    unknown,   // somebody else is asking, or no answer came; the person may go on for now
    good,      // the provider vouched for the person a moment ago: read them again
};
// One worker of all machines asks.
// fail: invalid_grant: the provider says that it is over; the person's sign-ins and sessions have
//       ended. service_unavailable: no answer came for too long
core::Result<Recheck> recheck_person(
    Dependencies& deps, const core::Person& person, core::Instant now);

} // namespace consentgate::usecase
