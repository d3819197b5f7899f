// The gate: whether a call may pass, and the token that the server behind it gets. spec:
// docs/requirements.md C1-C15, RS4-RS8
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/person_facts.h"
#include "consentgate/core/oauth/resource.h"
#include "consentgate/usecase/rights.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace consentgate::usecase {

struct CallGrant {
    std::shared_ptr<const core::SessionView> view; // never null
    std::optional<core::Secret>
        upstream; // the person's token at the resource's service; absent: the resource has none
    std::string key_header{}; // for a key of theirs; empty: it is a token
    std::string call{}; // the id under which the web server reports the call, where there is one
    std::optional<core::PersonFacts> person{}; // who signed in at a provider
    std::string assertion{};                   // empty: the resource has none
};

// The words to the doctor's own token (Keyring::probe_token).
inline constexpr std::string_view probe_message = "this token is for the doctor and opens nothing";

// fail: invalid_bearer; insufficient_scope; interaction_required: the person has to connect the
//       service first;
//       forbidden: the client can never have the scope, the virtual key is not for the service, or
//       the token is the doctor's; access_refused: a rule refuses what the call takes;
//       service_unavailable
core::Result<CallGrant> authorize_call(
    Dependencies& deps, const core::GuardedResource& resource, const core::Secret& token,
    core::Instant now);

// Before a client gets a new token: a doubted token at the resource's service is refreshed first. A
// client that comes much too early, right after a call, may have met a refusal that nobody
// reported, and casts a doubt itself.
// out: false: the person has to connect the service first
// spec: docs/requirements.md M3, M4
bool connection_holds(
    Dependencies& deps, const core::Session& session, const Rights& rights, core::Instant now);

// True when the resource needs an account at a service and this owner has none that works. Only the
// person can connect one, so no consent is reused and no token refreshed without them.
bool lacks_connection(
    Dependencies& deps, const std::string& resource, const core::Owner& owner, const Rights& rights,
    core::Instant now);

} // namespace consentgate::usecase
