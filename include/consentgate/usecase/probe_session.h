// A session of the doctor's own, with which it calls a guarded server as a signed-in client does.
// It lasts for one call. spec: docs/requirements_from_use.md XF3
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

struct ProbeSession {
    core::SessionId id;
    core::Secret token;
};

// The doctor can be somebody of no standing, whom the operator lets in, or a verified user whom no
// web server and no provider names.
// out: absent: only people with a key come in, and the doctor must not stand for one
std::optional<core::Identity> probe_identity(const core::Policy& policy);

// in:   deps    with the key file
//       client  of the doctor, which the database knows
// out:  absent: the rules changed meanwhile
std::optional<ProbeSession> begin_probe_session(
    Dependencies& deps, const core::ClientId& client, const core::GuardedResource& resource,
    const core::Identity& identity, core::Instant now);

void end_probe_session(Dependencies& deps, const ProbeSession& session, core::Instant now);

} // namespace consentgate::usecase
