// Clients that describe themselves in a document at their own URL. spec: requirements R23-R37
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

// The document that must be read before this authorization request can be judged; absent when its
// client is of another kind, or is known and its document still fresh. Asks nobody but the store.
// fail: invalid_client, invalid_client_document
core::Result<std::optional<core::DocumentUrl>> document_to_read(
    Dependencies& deps, const core::AuthorizationRequest& request, core::Instant now);

// Reads it, if it must be read, and keeps what it says. Nothing is kept of a document that cannot
// be had or used. Call it only for a person who wants it. spec: requirements R31-R34
// fail: as document_to_read; too_many_requests
core::Checked read_document(
    Dependencies& deps, const core::AuthorizationRequest& request, core::Instant now);

} // namespace consentgate::usecase
