// The log: one event a line on stderr, key=value, stable names. Values are quoted and stripped of control characters,
// so that nothing a client sends can forge a line. A core::Secret cannot be passed in: it does not convert to text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace consentgate::sys {

void log_event(std::string_view event, std::initializer_list<std::pair<std::string_view, std::string>> fields);

} // namespace consentgate::sys
