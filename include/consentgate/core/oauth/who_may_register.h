// Says in one sentence which programs may ask people to be let in, beside those that an operator
// added. For `check` and the doctor, which show an operator what the configuration means.
// spec: docs/requirements.md XD7
#pragma once

#include "consentgate/core/oauth/policy.h"

#include <string>

namespace consentgate::core {

std::string who_may_register(const Policy& policy);

} // namespace consentgate::core
