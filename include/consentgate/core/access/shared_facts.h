// The operator's rules and choice say what a server behind reads of a person.
// spec: docs/requirements_signin.md SI73, SI74
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/oauth/person_facts.h"
#include "consentgate/core/oauth/resource.h"

namespace consentgate::core {

PersonFacts shared_facts(const Person& person, SharedGroups groups, const AccessRules& rules);

} // namespace consentgate::core
