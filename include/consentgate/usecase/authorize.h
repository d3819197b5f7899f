// An authorization request becomes a flow. law: OAuth 2.1 section 4.1.1
#pragma once

#include "consentgate/core/form.h"
#include "consentgate/usecase/world.h"

namespace consentgate::usecase {

// in:   browser  digest of the browser's secret
//       remote_user  whom the web server says it has signed in: the flow is then theirs from the start
// fail: as judge_authorize, judge_asker
core::Result<core::Flow> begin_authorize(World& world, const core::Form& query, const core::Digest& browser, core::Instant now,
                                         const std::optional<std::string>& remote_user = std::nullopt);

} // namespace consentgate::usecase
