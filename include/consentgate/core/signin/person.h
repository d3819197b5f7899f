// People who sign in at an identity provider, as far as their provider says who they are.
// spec: docs/requirements_signin.md SI48, SI49
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/identity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::core {

// Claims that the operator wants to keep: of each its name and its values.
using KeptClaims = std::vector<std::pair<std::string, std::vector<std::string>>>;

// One human at one provider, with the snapshot of what the provider last said.
struct Person {
    PersonId id; // person_id(issuer, subject)
    IdpId idp;
    std::string issuer;              // of the ID token
    std::string subject;             // its `sub`
    std::string name;                // for people, cleaned; never empty
    std::string email;               // empty unless it counts
    std::vector<std::string> groups; // sorted, each once
    bool groups_known = true;        // false: the provider did not say, or not all of them
    KeptClaims claims;
    Instant first_signin{}, last_signin{};
    Instant checked_at{};               // when the provider last vouched for the person
    Instant snapshot_at{};              // `iat` of the ID token that the snapshot is from
    std::optional<Instant> disabled_at; // by the operator
    std::int64_t version = 0;           // raised by every change
};

// A person is a verified user whose name holds a line end, which REMOTE_USER cannot.
Identity person_identity(const std::string& issuer, const std::string& subject);
PersonId person_id(const std::string& issuer, const std::string& subject);
Identity identity_of(const Person& person);

// Returns the person of an identity; absent unless it is a person's.
std::optional<PersonId> person_of(const Identity& identity);

// "user:" and the first 8 digits of the id: enough for an operator to find a person, and too little
// to be one.
std::string short_name_of(const PersonId& person);

} // namespace consentgate::core
