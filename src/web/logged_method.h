// Says which method a log may show. Private to this module.
#pragma once

#include "consentgate/web/http.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace consentgate::web {

// "other" for a method that HTTP does not define: a caller could write somebody's secret there.
// spec: RFC 9110 section 9.3, RFC 5789; docs/requirements.md K47
inline std::string_view logged_method(const Request& request) {
    static constexpr std::array<std::string_view, 9> defined{
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    const auto* found = std::find(defined.begin(), defined.end(), request.method);
    return found == defined.end() ? "other" : *found;
}

} // namespace consentgate::web
