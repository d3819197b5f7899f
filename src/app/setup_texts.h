// Changes of texts that `consentgate-admin setup` makes and shows. Private to this module.
#pragma once

#include <optional>
#include <string>

namespace consentgate::app {

// The value that a text of our configuration gives to a key.
std::optional<std::string> config_value(const std::string& text, const std::string& key);

// The text with this value: in the key's line, else in place of the first line that has it
// commented out, else at the end.
std::string with_config_value(
    const std::string& text, const std::string& key, const std::string& value);

// The lines that one of them alone has, each after "- " or "+ ".
std::string changed_lines(const std::string& before, const std::string& after);

} // namespace consentgate::app
