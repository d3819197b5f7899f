// An authorization request becomes a flow. law: OAuth 2.1 section 4.1.1
#pragma once

#include "consentgate/core/form.h"
#include "consentgate/usecase/world.h"

namespace consentgate::usecase {

// in:   browser  digest of the browser's secret
// fail: as judge_authorize
core::Result<core::Flow> begin_authorize(World& world, const core::Form& query, const core::Digest& browser, core::Instant now);

} // namespace consentgate::usecase
