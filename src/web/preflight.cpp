#include "consentgate/web/preflight.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <string>

namespace consentgate::web {
namespace {

constexpr std::size_t max_asked_bytes = 1000;

// A browser sends names in lower case. Other signs stay out of our answer, whatever they would do
// there.
bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

// The names that were asked for, behind a comma; empty when one of them cannot be named.
std::string asked_names(const Request& request) {
    const auto asked = request.asked_headers.value_or("");
    if (asked.size() > max_asked_bytes) return {};
    std::string names;
    for (const auto& entry : core::split(asked, ',')) {
        const auto name = core::trim(entry);
        if (!is_name(name)) return {};
        names.append(", ").append(name);
    }
    return names;
}

Reply answer(const std::string& methods, std::string_view headers, const Request& request) {
    return Reply{204, {}, {}}
        .header("Access-Control-Allow-Methods", methods)
        .header("Access-Control-Allow-Headers", std::string(headers) + asked_names(request))
        .header("Access-Control-Max-Age", "3600");
}

} // namespace

Reply answer_preflight(const Request& request, std::string_view method) {
    return answer(
        std::string(method) + ", OPTIONS", "Content-Type, Authorization, MCP-Protocol-Version",
        request);
}

Reply answer_mcp_preflight(const Request& request) {
    return answer(
        "GET, POST, DELETE, OPTIONS",
        "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, "
        "Last-Event-ID",
        request);
}

} // namespace consentgate::web
