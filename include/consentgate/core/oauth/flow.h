// The PendingFlow: one consent in progress, and who the person said they are.
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/core/oauth/client.h"
#include "consentgate/core/oauth/identity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// An app may ask that the person proves anew, or lately, who they are.
// spec: OpenID Connect Core 3.1.2.1; docs/requirements_signin.md SI21
struct WantedProof {
    std::string prompt{};          // login, select_account; empty: any proof will do
    std::optional<Span> max_age{}; // the proof is at most so old
};

struct Flow {
    FlowId id;
    ClientId client_id;
    Digest browser;                   // of the browser cookie
    std::string redirect_uri;         // as requested, port included
    std::optional<std::string> state; // byte-exact; absent when none was sent
    std::string code_challenge;       // S256
    ScopeSet scope;                   // what will be granted
    std::string resource; // the published spelling; empty: the person has yet to choose one
    // The client named none of several, so the person chooses, as often as they like. The scopes
    // that the client asked for are kept for that.
    bool resource_by_person = false;
    ScopeSet asked_scope;
    Identity identity;
    // Raised by every change of the row. A write demands the revision that was validated.
    std::int64_t revision = 0;
    Instant created_at{};
    Instant expires_at{};
    std::optional<Instant> denied_at{}; // it is over, and kept for the page that says so
    WantedProof wanted_proof{};         // of a person who signs in at an identity provider
};

// The flow has a resource. fail: resource_required
Checked check_resource_chosen(const Flow& flow);

// A row that /authorize stored after match_redirect holds the same proof.
ReturnPath revive_return_path(const Flow& flow);

} // namespace consentgate::core
