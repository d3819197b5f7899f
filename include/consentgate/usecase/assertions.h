// Calls' facts as signed JWTs, for the servers behind the gate; a worker's own.
// spec: docs/requirements_signin.md SI75 to SI77
#pragma once

#include "consentgate/core/access/shared_facts.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/signin/assertion.h"

#include <optional>
#include <string>
#include <unordered_map>

namespace consentgate::usecase {

class Assertions {
public:
    // The keyring must live as long.
    explicit Assertions(const core::Keyring& keyring) : keyring_(keyring) {}

    // The public keys as a JWK Set.
    const std::string& key_set();

    // The assertion of a call, made anew when half of its time is over, or the person, their
    // session, the rules or the token changed.
    // in:   person  null: nobody who signed in at a provider
    std::string of_call(
        const core::SessionView& view, const core::PersonFacts* person, const core::Policy& policy,
        core::Instant now);

private:
    struct Made {
        std::string of; // what it was made from
        std::string text;
        core::Instant from{}, until{}; // handed out in between
    };
    const core::AssertionKeys& keys();

    const core::Keyring& keyring_;
    std::optional<core::AssertionKeys> keys_; // made when they are first needed
    std::string key_set_;
    std::unordered_map<std::string, Made> made_; // by session and end of the token
};

} // namespace consentgate::usecase
