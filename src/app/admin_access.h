// The commands about access share these. Private to this module.
#pragma once

#include "admin.h"

#include "consentgate/core/access/rules.h"

#include <stdexcept>
#include <string>

namespace consentgate::app::admin {

std::runtime_error failed(const core::Error& error);

// fail: throws UsageError; std::runtime_error when it is not clear which identity provider is meant
core::Who read_who(Context& context, const std::string& word);

Command access_test_command();

} // namespace consentgate::app::admin
