// People who signed in at an identity provider, for the operator.
// spec: docs/requirements_signin.md SI59, SI82
#pragma once

#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/remote_groups.h"
#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

// Which people an operator means: those that fit all members that are there.
struct PeopleFilter {
    std::optional<core::IdpId> idp{};
    std::optional<std::string> group{}; // to the letter
    std::optional<std::string> email{}; // in whatever case
    bool disabled = false;              // true: those alone whom an operator disabled
};
std::vector<core::Person> list_people(
    Dependencies& deps, const PeopleFilter& filter, std::size_t limit);

// Returns those who signed in at the provider last, newest first.
std::vector<core::Person> list_latest_people(
    Dependencies& deps, const core::IdpId& idp, std::size_t limit);

// Those whom an operator's word means: user: and the first digits of their id (eight or more),
// IDP/SUB, IDP/user:SUB, or an e-mail address that counts.
// fail: invalid_request: the word is none of these
core::Result<std::vector<core::Person>> find_people(Dependencies& deps, const std::string& word);

// Keeps what the web server says of the groups of whoever it signs in; rights are decided by it
// from this request on. A database that is away keeps what was said before.
// in:  how  absent: it says nothing
// out: to be called with its word for the person and the variable; absent: it did not send one. It
//      does not throw. Empty when it says nothing
// spec: docs/requirements_signin.md SI12
std::function<void(const std::string&, const std::optional<std::string>&, core::Instant)>
keeper_of_remote_groups(Dependencies& deps, const std::optional<core::RemoteGroups>& how);

struct PersonDetails {
    core::Person person;
    std::size_t sessions = 0; // alive, 100 at most
    std::vector<core::BrowserSignin> signins;
    std::vector<core::LinkedAccount> accounts;
};
PersonDetails describe_person(Dependencies& deps, const core::Person& person, core::Instant now);

// The person may do nothing from the next request on, on whatever machine; what they connected
// stays. no: it was so before
store::Applied disable_person(Dependencies& deps, const core::Person& person, core::Instant now);
store::Applied enable_person(Dependencies& deps, const core::Person& person);

enum class PersonAccounts { stay, end };
struct EndedThings {
    std::size_t sessions = 0, signins = 0, accounts = 0;
};
// Ends the sign-ins and sessions of a person, who may sign in again: sign-ins first, so that no
// session comes of one meanwhile, then the sessions in batches. Whoever stops in between can begin
// again.
// in: by           who says so: the operator for SigninEnd::ended, else the provider
//     after_batch  gets how many sessions have ended so far
EndedThings end_standing(
    Dependencies& deps, const core::PersonId& person, core::SigninEnd by, core::Instant now,
    const std::function<void(std::size_t)>& after_batch = [](std::size_t) {});
// The same for the operator, who may end the person's accounts as well.
EndedThings end_person(
    Dependencies& deps, const core::Person& person, PersonAccounts accounts, core::Instant now,
    const std::function<void(std::size_t)>& after_batch = [](std::size_t) {});

// Forgets people whom no provider has vouched for in 180 days, and who have no session, no account,
// and no rule or team that names them alone. out: how many
// spec: docs/requirements_signin.md SI84
std::size_t sweep_people(Dependencies& deps, core::Instant now);

// Ends all of it, and deletes the person.
EndedThings remove_person(Dependencies& deps, const core::Person& person, core::Instant now);

} // namespace consentgate::usecase
