// Rules say what one person may do at one resource; each refusal has its words.
// spec: docs/requirements_signin.md SI64, SI65, SI66
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/policy.h"

#include <string>
#include <string_view>

namespace consentgate::core {

// fail: access_refused
Checked check_sign_in(const AccessRules& rules, const Subject& subject);

// Signing in and the resource must both be allowed. fail: access_refused
Checked check_resource(
    const AccessRules& rules, const Subject& subject, const std::string& resource);

// fail: access_refused
Checked check_service(const AccessRules& rules, const Subject& subject, const std::string& service);

// Everywhere and on the resource, and so for all that the scope implies: who holds the scope may do
// that, too.
bool may_have_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const std::string& scope, const Policy& policy);

// The scopes of the set that the person may have. When one of them is refused, what it implied
// stands for itself.
ScopeSet permitted_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const ScopeSet& granted, const Policy& policy);

// The rules refuse none of the scopes that a request needs. A sign-in would give the same, so the
// answer must not ask for one. fail: access_refused
Checked check_needed_scope(
    const AccessRules& rules, const Subject& subject, const std::string& resource,
    const ScopeSet& needed, const Policy& policy);

} // namespace consentgate::core
