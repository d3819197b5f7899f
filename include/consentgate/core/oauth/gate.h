// The facts about a caller that the gate passes on to the resource server.
#pragma once

#include "consentgate/core/oauth/access.h"

#include <string>
#include <vector>

namespace consentgate::core {

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
