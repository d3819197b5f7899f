// The proof of a person: what a provider makes of the code that came back with their browser.
// Private to this module.
#pragma once

#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/github.h"
#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person_claims.h"
#include "consentgate/core/signin/token_answer.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

struct ProvedPerson {
    core::ProvedClaims token;                   // of the ID token, or what stands in for it
    std::optional<core::JsonObject> userinfo{}; // absent: it was not asked
    core::PersonClaims claims{};                // that we believe
    core::Person person{};
    std::optional<core::Secret> refresh_token{}; // or what is kept in its place
};

// Redeems the code, verifies the ID token, and asks what it leaves out. The tokens are dropped.
// in:   state  with which the person was sent there
// fail: service_unavailable: the provider does not answer; access_denied: it is not believed, for
//       the log; server_error: the key file cannot decrypt what is needed
core::Result<ProvedPerson> prove_person(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Secret& code, core::Instant now);

// Asks GitHub's API with the token for the account, its address and its groups.
// fail: as prove_person; invalid_grant: the token is good no more
core::Result<ProvedPerson> ask_github(
    Dependencies& deps, const core::IdentityProvider& idp, const core::GithubToken& token,
    core::Instant now);

// out: absent: nothing is needed of it
// fail: as prove_person
core::Result<std::optional<core::JsonObject>> ask_userinfo(
    Dependencies& deps, const core::IdentityProvider& idp, const core::ProvedClaims& proved,
    const core::Secret& access_token, const core::ProviderKeys& keys);

// Asks Microsoft Graph for groups that a token leaves out, where the operator wants that. They stay
// unknown where they do not come whole.
void ask_missing_groups(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Secret& access_token,
    core::PersonClaims& claims);

} // namespace consentgate::usecase
