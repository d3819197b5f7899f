// One parameter of a request, whether it stood in a query string or in a form.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace consentgate::core {

// A parameter as it arrived. The value is absent when the parameter is missing, repeated, or empty
// (an empty value means absent: OAuth 2.1 section 3.1).
struct Parameter {
    std::optional<std::string> value{};
    std::size_t count = 0; // how often it was sent, empty values included

    bool repeated() const { return count > 1; }
};

} // namespace consentgate::core
