// The words of the gate: the challenge for a request that it refuses, and the facts about the
// caller that it passes on to the resource server.
#pragma once

#include "consentgate/core/oauth/access.h"

#include <string>
#include <vector>

namespace consentgate::core {

// The value of WWW-Authenticate that tells a client where to sign in, and for which scopes.
// spec: RFC 6750 section 3; RFC 9728 section 5.1; requirements C1-C6, C12
// in:   error  null: no credentials came, and a challenge for them names no error
std::string bearer_challenge(
    const std::string& resource, const ScopeSet& scope, const Error* error);

// The status for a refused request: 401 whenever a new sign-in would help, whatever was missing.
int gate_status(const Error& error);

enum class GateFactKind {
    subject, // subject_of
    user,    // a name for people; absent when the person gave none
    identity,
    client,
    scope,
    session,
};

// One fact about the caller. Visible ASCII: everything else in a name is percent-encoded UTF-8.
struct GateFact {
    GateFactKind kind;
    std::string value; // never empty
};

// In the order of their kinds; the subject is always there.
// spec: docs/requirements.md RS11
std::vector<GateFact> gate_facts(const SessionView& view);

} // namespace consentgate::core
