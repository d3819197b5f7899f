#include "registration_reader.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>
#include <array>

namespace consentgate::core {
namespace {

constexpr std::size_t max_name_characters = 200;                                   // characters
constexpr std::size_t max_decoration_bytes = 2048;                                 // bytes
constexpr std::array addresses{"client_uri", "logo_uri", "tos_uri", "policy_uri"}; // for people
constexpr std::array texts{application_type, "software_id", "software_version"};

bool is_web_address(const std::string& text) {
    const auto parts = split_uri(text);
    const auto scheme = parts ? lower_ascii(parts->scheme) : std::string();
    return (scheme == "https" || scheme == "http") && !parts->host.empty();
}

// An empty text means none: clients that copy templates send them, and an echo of it would not
// parse (R9).
bool can_be_kept(const std::optional<std::string>& text) {
    return text && !text->empty() && text->size() <= max_decoration_bytes;
}

bool holds(const JsonArray& values, std::string_view text) {
    return std::any_of(values.begin(), values.end(), [&](const Json& value) {
        return value.text() != nullptr && *value.text() == text;
    });
}

} // namespace

Error metadata_error(const std::string& message, const std::string& param) {
    return make_error(
        ErrorCode::invalid_client_metadata, PublicMessage{message}, LogDetail{param}, param);
}

Result<RedirectUris> read_redirect_uris(
    const JsonObject& from, std::size_t limit,
    const std::function<Checked(const std::string&)>& check) {
    const auto fail = [](const std::string& message) {
        return make_error(
            ErrorCode::invalid_redirect_uri, PublicMessage{message}, LogDetail{}, "redirect_uris");
    };
    const auto* sent = from.array("redirect_uris");
    if (sent == nullptr || sent->empty())
        return fail("redirect_uris must be an array with at least one URI");
    RedirectUris uris;
    std::string why = "redirect_uris must be an array of texts"; // of the first that is dropped
    for (const auto& entry : *sent) {
        const auto* uri = entry.text();
        if (uri != nullptr &&
            std::find(uris.kept.begin(), uris.kept.end(), *uri) != uris.kept.end())
            continue;
        const auto checked = uri == nullptr ? Checked(fail(why)) : check(*uri);
        if (checked) {
            if (uris.kept.size() == limit)
                return fail(
                    "at most " + std::to_string(limit) + " redirect URIs can be registered");
            uris.kept.push_back(*uri);
            continue;
        }
        if (!uris.dropped) why = checked.error().message;
        uris.dropped = true;
    }
    if (!uris.kept.empty()) return uris;
    return fail(sent->size() == 1 ? why : "none of the redirect_uris can be used: " + why);
}

Result<std::string> read_client_name(const JsonObject& from) {
    if (!from.has("client_name")) return std::string();
    const auto name = from.text("client_name");
    if (!name) return metadata_error("client_name must be a string", "client_name");
    if (count_characters(*name) > max_name_characters)
        return metadata_error("client_name is at most 200 characters", "client_name");
    return has_visible(*name) ? *name : std::string();
}

Checked check_list(const JsonObject& from, const std::string& member, const std::string& needed) {
    if (!from.has(member)) return Nothing{};
    const auto* values = from.array(member);
    if (values == nullptr) return metadata_error(member + " must be an array of strings", member);
    if (values->empty() || holds(*values, needed)) return Nothing{};
    return metadata_error(member + " must include " + needed, member);
}

bool lists_refresh(const JsonObject& from) {
    const auto* grants = from.array("grant_types");
    return grants != nullptr && holds(*grants, "refresh_token");
}

Result<std::string> read_scope(const JsonObject& from, const Policy& policy) {
    if (!from.has("scope")) return std::string();
    const auto text = from.text("scope");
    const auto asked = text ? ScopeSet::parse(*text) : std::nullopt;
    if (!asked) return metadata_error("scope must be a string of scope names", "scope");
    return asked->within(policy.catalogue()).text();
}

JsonObject read_decorations(const JsonObject& from) {
    JsonObject kept;
    for (const auto* member : addresses) {
        const auto text = from.text(member);
        if (can_be_kept(text) && is_web_address(*text)) kept.set(member, *text);
    }
    for (const auto* member : texts) {
        const auto text = from.text(member);
        if (can_be_kept(text)) kept.set(member, *text);
    }
    if (const auto contacts = from.texts("contacts")) kept.set("contacts", json_array(*contacts));
    return kept;
}

} // namespace consentgate::core
