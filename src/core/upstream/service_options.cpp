#include "consentgate/core/upstream/service_options.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <algorithm>
#include <cctype>

namespace consentgate::core {
namespace {

constexpr std::size_t max_parameter_bytes = 1024, max_path_bytes = 128, max_header_bytes = 64,
                      max_key_bytes = 4096;

Error unusable(const std::string& message) {
    return make_error(ErrorCode::server_error, PublicMessage{message});
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_name(std::string_view text, std::string_view signs) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               signs.find(c) != std::string_view::npos;
    });
}

std::string_view name_of_parameter(std::string_view text) {
    return text.substr(0, std::min(text.find('='), text.size()));
}

// Absent: there is no such object.
const JsonObject* object_at(const JsonObject& whole, const std::string& path) {
    const auto* object = &whole;
    for (const auto& name : split(path, '.')) {
        object = object->object(name);
        if (object == nullptr) return nullptr;
    }
    return object;
}

} // namespace

Checked check_authorize_parameter(std::string_view text) {
    const auto name = name_of_parameter(text);
    if (name.size() == text.size()) return unusable("it is not NAME=VALUE");
    if (text.size() > max_parameter_bytes || !valid_utf8(text) || has_control(text))
        return unusable("it is longer than 1024 bytes, or holds control characters");
    if (!is_name(name, "_-.")) return unusable("its name may have letters, digits, _ - and .");
    if (one_of(
            name, {"response_type", "client_id", "redirect_uri", "state", "code_challenge",
                   "code_challenge_method", "scope", "resource", "nonce"}))
        return unusable("consentgate sends " + std::string(name) + " itself");
    if (one_of(name, {"request", "request_uri", "response_mode"}))
        return unusable(std::string(name) + " would change how the person comes back");
    return Nothing{};
}

Checked check_token_path(std::string_view path) {
    const bool dotted =
        path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string_view::npos;
    if (path.size() > max_path_bytes || dotted || !is_name(path, "_-."))
        return unusable("it is the names of members with dots between, like authed_user");
    return Nothing{};
}

Checked check_key_header(std::string_view name) {
    const auto lower = lower_ascii(name);
    if (name.size() > max_header_bytes || !is_name(name, "-"))
        return unusable("a header's name is 1 to 64 letters, digits and -");
    const bool ours = lower.starts_with("consentgate-") || lower.starts_with("mcp-") ||
                      lower.starts_with("proxy-") || lower.starts_with("sec-") ||
                      lower.starts_with("access-control-") || lower.starts_with("x-forwarded-");
    if (ours || one_of(
                    lower, {"accept",
                            "accept-encoding",
                            "accept-language",
                            "cache-control",
                            "connection",
                            "content-encoding",
                            "content-length",
                            "content-type",
                            "cookie",
                            "date",
                            "expect",
                            "forwarded",
                            "host",
                            "keep-alive",
                            "last-event-id",
                            "location",
                            "origin",
                            "range",
                            "referer",
                            "te",
                            "trailer",
                            "transfer-encoding",
                            "upgrade",
                            "user-agent",
                            "via"}))
        return unusable(std::string(name) + " has another meaning");
    return Nothing{};
}

std::vector<std::string> merge_authorize_parameters(
    std::vector<std::string> parameters, const std::vector<std::string>& changes) {
    for (const auto& change : changes) {
        const auto name = name_of_parameter(change);
        std::erase_if(parameters, [&](const auto& one) { return name_of_parameter(one) == name; });
        if (name.size() + 1 < change.size()) parameters.push_back(change);
    }
    return parameters;
}

ServiceReply tokens_at_path(ServiceReply reply, const std::string& path) {
    if (path.empty() || !reply.answered) return reply;
    auto whole = parse_json_object(reply.body.reveal());
    if (!whole) return reply;
    const auto* object = object_at(*whole, path);
    const bool refused = whole->text("error").value_or("") != "";
    if (object != nullptr && object->text("access_token") && !refused) {
        reply.body = Secret(json_string(*object));
    } else if (whole->text("token_type") == "bot") {
        whole->set("access_token", nullptr).set("refresh_token", nullptr);
        reply.body = Secret(json_string(*whole));
    }
    return reply;
}

std::optional<Secret> read_api_key(std::string_view typed) {
    const auto key = trim(typed);
    const bool fits =
        !key.empty() && key.size() <= max_key_bytes &&
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
    return fits ? std::optional(Secret(std::string(key))) : std::nullopt;
}

Secret key_header_value(const Service& service, const Secret& key) {
    const bool bearer = same_ignoring_case(service.key_header, "authorization");
    return bearer ? Secret("Bearer " + key.reveal()) : key;
}

KeyTrial read_key_trial(const ServiceReply& reply) {
    if (!reply.answered) return KeyTrial::unknown;
    if (reply.status == 401 || reply.status == 403) return KeyTrial::refused;
    return reply.status >= 200 && reply.status < 300 ? KeyTrial::good : KeyTrial::unknown;
}

} // namespace consentgate::core
