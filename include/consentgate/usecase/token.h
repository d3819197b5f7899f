// The token endpoint. spec: OAuth 2.1 section 4.1.3
#pragma once

#include "consentgate/core/oauth/grant.h"
#include "consentgate/usecase/client_auth.h"

#include <optional>

namespace consentgate::usecase {

// By grant_type: redeems a code, or refreshes.
//
// Exactly one request can redeem a code. A replay that is valid in all other respects ends the
// session of the code. Exactly one request rotates a refresh token; others of the same moment get
// the same answer, and later ones the same successor while nobody has used it. Any other use of a
// used refresh token ends its session, with all of its tokens.
// fail: invalid_request, invalid_client, invalid_grant, invalid_scope, invalid_target,
//       unauthorized_client, unsupported_grant_type
core::Result<core::TokenGrant> grant_token(
    Dependencies& deps, const core::SentCredentials& client, const core::TokenRequest& request,
    core::Instant now);

// Ends a token: an access token alone, when its session can be refreshed; a refresh token with its
// session and all tokens of it. A token that is unknown, ended or another client's changes nothing,
// and the answer is the same.
// spec: RFC 7009; docs/requirements.md V1-V4
// fail: invalid_request, invalid_client
core::Checked revoke_token(
    Dependencies& deps, const core::SentCredentials& client, const core::NamedToken& named,
    core::Instant now);

} // namespace consentgate::usecase
