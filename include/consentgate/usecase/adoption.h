// A person of a provider gets the accounts that they connected under another name: when the web
// server signed them in before, or the provider had another address. The operator says who is who;
// no address and no name does.
// spec: docs/requirements_signin.md SI56
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <string>
#include <vector>

namespace consentgate::usecase {

// Whose accounts become whose.
struct Adoption {
    core::Identity from, to;
};

struct Adopted {
    std::vector<core::ServiceId> moved;
    std::vector<core::ServiceId> kept; // the person has an account there; the old one stays
    std::size_t sessions = 0;          // of before, which ended
};

// in:   dry_run  says what would be done, and does nothing
// fail: server_error: an account does not open with the key file;
//       store_unavailable: one is being refreshed, or changes all the time
core::Result<Adopted> adopt(
    Dependencies& deps, const Adoption& adoption, bool dry_run, core::Instant now);

// mod_auth_openidc calls a person "SUB@ISSUER", without the "https://" of the issuer, unless its
// operator chose otherwise. These are the people of the provider whose old name is of that form:
// those whose sessions are kept, and those who have signed in here since.
std::vector<Adoption> find_module_names(Dependencies& deps, const core::IdentityProvider& idp);

// The people of an issuer whose provider has the issuer of `idp` now, with the same subjects.
std::vector<core::Person> list_people_of_issuer(Dependencies& deps, const std::string& issuer);
// Moves such a person with their snapshot; the old one goes, unless an account of theirs stays.
// fail: as adopt
core::Result<Adopted> move_to_issuer(
    Dependencies& deps, const core::Person& person, const core::IdentityProvider& idp, bool dry_run,
    core::Instant now);

} // namespace consentgate::usecase
