// An input as lines: a target that takes several texts gets one in each.
#pragma once

#include <algorithm>
#include <string_view>

namespace consentgate::tests {

// Takes the text up to the next line break from the front.
inline std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

} // namespace consentgate::tests
