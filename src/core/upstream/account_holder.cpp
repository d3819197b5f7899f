#include "consentgate/core/upstream/account_holder.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"

namespace consentgate::core {
namespace {

constexpr std::size_t most_characters = 80, most_bytes = 1024;

std::string text_in(const JsonObject& object, std::string_view name) {
    auto text = object.text(name).value_or("");
    return text.size() <= most_bytes && valid_utf8(text) ? text : std::string();
}

std::string first_text(const JsonObject& object, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (auto text = text_in(object, name); !text.empty() && has_visible(text)) return text;
    }
    return {};
}

// out: absent when a part of the id is missing
std::optional<AccountHolder> holder(
    std::string_view kind, const std::string& where, const std::string& id,
    const std::string& name) {
    if (where.empty() || id.empty()) return std::nullopt;
    return AccountHolder{
        .id_hash = sha256(std::string(kind) + "\n" + where + "\n" + id).hex,
        .name = display_text(trim(name), most_characters)};
}

std::optional<AccountHolder> of_id_token(const JsonObject& reply) {
    const auto parts = split(reply.text("id_token").value_or(""), '.');
    if (parts.size() != 3) return std::nullopt;
    const auto bytes = from_base64(parts[1], Base64::url);
    const auto claims = bytes ? parse_json_object(*bytes) : std::nullopt;
    if (!claims) return std::nullopt;
    return holder(
        "openid", text_in(*claims, "iss"), text_in(*claims, "sub"),
        first_text(*claims, {"email", "preferred_username", "upn", "name", "nickname"}));
}

std::optional<AccountHolder> of_slack(const JsonObject& reply) {
    const auto* team = reply.object("team");
    const auto* user = reply.object("authed_user");
    if (team == nullptr || user == nullptr) return std::nullopt;
    return holder("slack", text_in(*team, "id"), text_in(*user, "id"), first_text(*team, {"name"}));
}

std::optional<AccountHolder> of_notion(const JsonObject& reply) {
    const auto* owner = reply.object("owner");
    const auto* user = owner == nullptr ? nullptr : owner->object("user");
    if (user == nullptr) return std::nullopt;
    const auto* person = user->object("person");
    const auto email = person == nullptr ? std::string() : first_text(*person, {"email"});
    const auto name = first_text(*user, {"name"});
    return holder(
        "notion", text_in(reply, "workspace_id"), text_in(*user, "id"),
        !email.empty()  ? email
        : !name.empty() ? name
                        : first_text(reply, {"workspace_name"}));
}

// Salesforce names the person by the address of their identity.
std::optional<AccountHolder> of_salesforce(const JsonObject& reply) {
    return holder("salesforce", text_in(reply, "instance_url"), text_in(reply, "id"), "");
}

} // namespace

std::optional<AccountHolder> holder_in(std::string_view reply) {
    const auto object = parse_json_object(reply);
    if (!object) return std::nullopt;
    for (const auto read : {of_id_token, of_slack, of_notion, of_salesforce}) {
        if (auto found = read(*object)) return found;
    }
    return std::nullopt;
}

} // namespace consentgate::core
