// The facts about a caller that the gate passes on to the resource server.
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/person_facts.h"

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
    email, // of a person who signed in at a provider, as all that follow; only when it counts
    groups,
    groups_omitted, // there is more to know than is said
    provider,
};

// One fact about the caller. Visible ASCII: everything else in a name is percent-encoded UTF-8.
struct GateFact {
    GateFactKind kind;
    std::string value; // never empty
};

// In the order of their kinds; the subject is always there. Web servers take a few KiB of all of
// them together, so groups that would not fit are left out.
// in:   person  null: nobody who signed in at a provider
// spec: docs/requirements.md RS11; docs/requirements_signin.md SI73, SI74
std::vector<GateFact> gate_facts(const SessionView& view, const PersonFacts* person = nullptr);
inline constexpr std::size_t max_facts_bytes = 3584;

} // namespace consentgate::core
