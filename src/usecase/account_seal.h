// Opening and sealing the tokens of linked accounts. Private to this module: every use-case opens
// them here, so that none forgets who they were sealed for.
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

struct ClearTokens {
    core::Secret access_token;
    std::optional<core::Secret> refresh_token; // absent: there is none
};

// Absent: the key file does not open it, it was sealed for another owner, or in the form before
// without a permission to open that.
std::optional<core::Secret> open_access_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now);
std::optional<core::Secret> open_refresh_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now);
std::optional<ClearTokens> open_tokens(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now);

// Into the account: for its owner, in the form of now, under the newest key.
void seal_tokens(Dependencies& deps, core::LinkedAccount& account, const ClearTokens& clear);
// The tokens that it has. out: false when they do not open; then it is as it was
bool seal_tokens_anew(Dependencies& deps, core::LinkedAccount& account, core::Instant now);

// The accounts of a flow, sealed for the owner that its session gives them. One that does not open
// is to be ended.
std::vector<core::LinkedAccount> accounts_sealed_for(
    Dependencies& deps, const core::Flow& flow, const core::Owner& owner, core::Instant now);

} // namespace consentgate::usecase
