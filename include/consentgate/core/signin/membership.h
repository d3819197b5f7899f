// A fence around a provider that anybody can join, by the groups that it names.
// spec: docs/requirements_signin.md SI5
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person.h"

namespace consentgate::core {

// The person is in one of the groups that the operator named, where they named any; people whose
// groups are unknown are in none.
// fail: access_refused, with the account
Checked check_membership(const IdentityProvider& provider, const Person& person);

} // namespace consentgate::core
