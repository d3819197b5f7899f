#include "consentgate/core/upstream/published_document.h"

#include "consentgate/core/upstream/service_discovery.h"

#include <algorithm>

namespace consentgate::core {

bool holds(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> read_list(const JsonObject& document, std::string_view name) {
    std::vector<std::string> list;
    const auto* array = document.array(name);
    if (array == nullptr) return list;
    for (const auto& one : *array) {
        if (const auto* text = one.text(); text && !text->empty()) list.push_back(*text);
    }
    return list;
}

std::string read_endpoint(const JsonObject& document, std::string_view name) {
    const auto url = document.text(name);
    return url && check_endpoint(*url) ? *url : std::string();
}

Checked check_code_grant(const JsonObject& document, const std::string& who) {
    const auto lacks = [&](const char* list, std::string_view word) {
        const auto said = read_list(document, list);
        return !said.empty() && !holds(said, word);
    };
    const auto unusable = [&](const char* words) {
        const auto message = who + " " + words;
        return make_error(ErrorCode::server_error, PublicMessage{message}, LogDetail{message});
    };
    if (lacks("response_types_supported", "code"))
        return unusable("gives no authorization codes (response_types_supported lacks code)");
    if (lacks("grant_types_supported", "authorization_code"))
        return unusable(
            "takes no authorization codes (grant_types_supported lacks authorization_code)");
    if (lacks("code_challenge_methods_supported", "S256"))
        return unusable("does not know the PKCE method S256 (code_challenge_methods_supported)");
    return Nothing{};
}

} // namespace consentgate::core
