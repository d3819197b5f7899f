// The version of both programs, as the package's changelog has it.
#pragma once

#include <string_view>

namespace consentgate::app {

std::string_view version(); // "0.1.0"

} // namespace consentgate::app
