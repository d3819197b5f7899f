// Clients that describe themselves in a document at their own URL. spec:
// docs/requirements.md R23-R37
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>

namespace consentgate::usecase {

// The document that must be read before this authorization request can be validated; absent when
// its client is of another kind, or is known and its document still fresh. Reads the store alone.
// fail: invalid_client, invalid_client_document
core::Result<std::optional<core::DocumentUrl>> document_to_read(
    Dependencies& deps, const core::AuthorizationRequest& request, core::Instant now);

// Fetches the document where necessary, and saves the client that it describes; saves nothing when
// it cannot be fetched or used. Call it only for a person who asked for it. spec:
// docs/requirements.md R31-R34
// in:   caller  who asks, as core::caller_of says
// fail: as document_to_read; too_many_requests
core::Checked read_document(
    Dependencies& deps, const core::AuthorizationRequest& request, const std::string& caller,
    core::Instant now);

} // namespace consentgate::usecase
