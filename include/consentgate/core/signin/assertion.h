// A call's facts as a JWT of ours, which a guarded server verifies without asking, and the keys
// that sign it. Computed from the server keys, so that nothing is stored and all machines agree.
// spec: RFC 9068, RFC 7517; docs/requirements_signin.md SI75, SI76
#pragma once

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/keyring.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/person_facts.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

struct AssertedCall {
    std::string issuer;   // ours
    std::string resource; // as it is published
    std::string subject, client_id, scope, session, identity;
    const PersonFacts* person = nullptr; // null: nobody who signed in at a provider
    std::optional<Instant> auth_time{};  // of the person
    Instant token_ends{};
};

// in: lifetime  as the operator chose it; the assertion ends no later than the token
JsonObject assertion_claims(const AssertedCall& call, Span lifetime, Instant now);

// P-256 keys, one for each server key. The kid is the server key's id.
class AssertionKeys {
public:
    explicit AssertionKeys(const Keyring& keyring);
    AssertionKeys(AssertionKeys&&) noexcept;
    AssertionKeys& operator=(AssertionKeys&&) noexcept;
    ~AssertionKeys();

    // The public keys of all server keys: a server learns a new one before it signs.
    std::string key_set() const;

    // An ES256 JWT of the type at+jwt, by the newest server key. Two of the same claims differ,
    // because ECDSA takes a random number of its own.
    std::string sign(const JsonObject& claims) const;

private:
    struct Key;
    std::vector<Key> keys_; // as in the keyring: the newest last
};

} // namespace consentgate::core
