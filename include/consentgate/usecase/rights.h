// The operator's rules and the newest word of a person's identity provider say what one identity
// may do.
// spec: docs/requirements_signin.md SI50, SI65, SI68
#pragma once

#include "consentgate/core/access/permission.h"
#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/oauth/views.h"
#include "consentgate/usecase/dependencies.h"

#include <memory>
#include <string>
#include <string_view>

namespace consentgate::usecase {

struct Rights {
    core::Identity identity;
    core::AccessStanding standing;
    std::shared_ptr<const core::AccessRules> rules; // of standing.policy_version, or newer
    std::shared_ptr<const core::Person> person;     // null for who is none

    core::Subject subject() const { return {identity, person.get()}; }

    // fail: invalid_bearer: the person is disabled or forgotten; access_refused
    core::Checked check_sign_in() const;
    // The person may sign in and use the resource. fail: as check_sign_in
    core::Checked check_resource(const std::string& resource) const;
    bool may_use_service(const core::ServiceId& service) const;
    // fail: access_refused
    core::Checked check_service(const core::ServiceId& service) const;
    core::Checked check_needed_scope(
        const std::string& resource, const core::ScopeSet& needed,
        const core::Policy& policy) const;
    core::ScopeSet permitted_scope(
        const std::string& resource, const core::ScopeSet& granted,
        const core::Policy& policy) const;
};

// in: standing  as a statement of the store returned it with the identity; what a worker remembers
//               of that version is not read again
Rights rights_of(Dependencies& deps, core::Identity identity, core::AccessStanding standing);

// The same, with a question to the database for the standing of now.
Rights rights_now(Dependencies& deps, core::Identity identity);
// Under rules whose version was read with the flow: the database is asked about people alone.
Rights rights_in(Dependencies& deps, const core::FlowView& flow, core::Identity identity);

// A flow with the scopes that rules leave its person.
struct PermittedFlow {
    core::Flow flow;
    core::ScopeSet refused; // that it asked for
    Rights rights;
};

// By the rules and the person of now. A flow without a resource, which its person has yet to
// choose, is asked about signing in alone.
// fail: invalid_bearer; access_refused with the account and the way back to the app: also when no
//       scope is left
core::Result<PermittedFlow> permit_flow(
    Dependencies& deps, const core::FlowView& view, core::Identity identity);

// Whether the identity may sign in at all, for the page of a sign-in: a refusal names the account.
// fail: access_refused, invalid_bearer
core::Checked check_may_sign_in(
    Dependencies& deps, const core::FlowView& flow, const core::Identity& identity);
// Whether some virtual key may sign in by the rules, so that the form for keys is of use.
bool may_keys_sign_in(Dependencies& deps, const core::FlowView& flow);

// Counts a refusal by a rule; every other error is passed over.
// in: where  the door, of a set that the program chose
// spec: docs/requirements_signin.md SI83
void count_refusal(const Dependencies& deps, const core::Error& error, std::string_view where);

// A refusal on a page of this flow leads back to the app.
core::Error leading_back(core::Error refusal, const core::Flow& flow);

// A refusal of a person, with the name and the provider that their page shows.
core::Error name_refused(Dependencies& deps, core::Error refusal, const Rights& rights);

} // namespace consentgate::usecase
