// Doubting the token of a linked account because its service refused it. Private to this module.
#pragma once

#include "consentgate/core/upstream/account_doubt.h"
#include "consentgate/usecase/dependencies.h"

#include <string_view>

namespace consentgate::usecase {

// in:  account  as it was read
//      version  of the token that was refused
//      by       `call`, `refresh` or `exchange`, for the log: what showed it
// out: the account as it is now; absent: nothing changed
std::optional<core::LinkedAccount> doubt_token(
    Dependencies& deps, const core::LinkedAccount& account, std::int64_t version,
    core::TokenRefusal refusal, std::string_view by, core::Instant now);

// The audit event of an account that its person must connect anew.
void report_refused(Dependencies& deps, const core::LinkedAccount& account);

} // namespace consentgate::usecase
