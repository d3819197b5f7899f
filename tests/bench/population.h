// People with groups under rules, written into a database as if they had signed in.
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/base/keyring.h"
#include "consentgate/core/oauth/policy.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/store/store.h"
#include "consentgate/sys/random.h"

#include <string>
#include <vector>

namespace consentgate::bench {

core::Person make_person(const std::string& subject, int groups);

// The last rule of the list is the only one that matches.
std::vector<core::Rule> rules_of(int count, const std::string& match, const std::string& resource);

class Population {
public:
    Population(
        store::Store& store, const core::Keyring& keyring, const core::Policy& policy,
        core::Instant now)
        : store_(store), keyring_(keyring), policy_(policy), now_(now) {}

    // Writes the client, the provider, the person, and for each resource 20 rules for their groups
    // and one that lets in typed names.
    void put(const std::vector<std::string>& resources);
    // out: the token of a new session
    std::string token_for(const core::Identity& identity, const std::string& resource);

    const core::Person anna = make_person("anna", 50);

private:
    store::Store& store_;
    const core::Keyring& keyring_;
    const core::Policy& policy_;
    core::Instant now_;
    sys::OsRandom random_;
};

} // namespace consentgate::bench
