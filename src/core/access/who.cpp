#include "consentgate/core/access/rules.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <utility>

namespace consentgate::core {
namespace {

constexpr std::size_t max_name_bytes = 255;
constexpr std::size_t max_value_bytes = 1024;
constexpr std::size_t max_team_name = 64;

Error unreadable(const std::string& message) {
    return make_error(ErrorCode::invalid_request, PublicMessage{message}, LogDetail{}, "who");
}

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= max_team_name &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

bool is_name(std::string_view text, std::size_t max_bytes) {
    return !text.empty() && text.size() <= max_bytes && valid_utf8(text) && !has_control(text);
}

// Letters of other alphabets never match, so that no address looks like another.
bool is_address_part(std::string_view text) {
    return is_name(text, max_name_bytes) && plain_ascii(text) == text &&
           text.find_first_of("@\"*, ") == text.npos;
}

Result<Who> parse_email(Who who, std::string_view text) {
    const auto at = text.find('@');
    const auto local = text.substr(0, at);
    const auto domain = at == text.npos ? std::string_view() : text.substr(at + 1);
    if (!is_address_part(domain) || (local != "*" && !is_address_part(local)))
        return unreadable("'email:' is followed by an address in ASCII, or by *@ and a domain: "
                          "email:*@example.org");
    who.kind = local == "*" ? WhoKind::domain : WhoKind::email;
    who.name = lower_ascii(local == "*" ? domain : text);
    return who;
}

Result<Who> parse_claim(Who who, std::string_view text) {
    const auto equals = text.find('=');
    who.kind = WhoKind::claim;
    who.name = text.substr(0, equals);
    who.value = equals == text.npos ? "" : text.substr(equals + 1);
    if (!is_name(who.name, max_name_bytes) || !is_name(who.value, max_value_bytes))
        return unreadable("'claim:' is followed by NAME=VALUE: claim:hd=example.org");
    return who;
}

// A person's form stands behind `REALM/`, or alone until the only realm is added.
std::optional<Result<Who>> parse_person(Who who, std::string_view text) {
    const auto named = [&](WhoKind kind, std::string_view name) -> Result<Who> {
        who.kind = kind;
        who.name = name;
        if (!is_name(name, max_name_bytes))
            return unreadable("a name has 1 to 255 bytes and no control characters");
        return who;
    };
    if (text.starts_with("user:")) return named(WhoKind::user, text.substr(5));
    if (text.starts_with("group:")) return named(WhoKind::group, text.substr(6));
    if (text.starts_with("email:")) return parse_email(std::move(who), text.substr(6));
    if (text.starts_with("claim:")) return parse_claim(std::move(who), text.substr(6));
    return std::nullopt;
}

Error unknown_form(std::string_view text) {
    return unreadable(
        "'" + std::string(text.substr(0, 100)) +
        "' names nobody. WHO is everyone, signed-in, unverified, keys, key:ID, team:NAME, "
        "remote/user:NAME, remote/group:NAME, or IDP/ with everyone, user:SUB, group:NAME, "
        "email:ADDRESS, email:*@DOMAIN or claim:NAME=VALUE");
}

Result<Who> parse_with_realm(std::string_view realm, std::string_view text) {
    Who who;
    who.realm = realm;
    if (!is_word(realm)) return unknown_form(text);
    if (text == "everyone") {
        who.kind = WhoKind::members;
        return who;
    }
    auto parsed = parse_person(std::move(who), text);
    if (!parsed) return unknown_form(std::string(realm) + "/" + std::string(text));
    const bool named =
        *parsed && ((*parsed)->kind == WhoKind::user || (*parsed)->kind == WhoKind::group);
    if (*parsed && realm == remote_realm && !named)
        return unreadable("the web server says names and groups alone: remote/user:NAME, "
                          "remote/group:NAME");
    return *parsed;
}

constexpr std::pair<std::string_view, WhoKind> plain_words[] = {
    {"everyone", WhoKind::everyone},
    {"signed-in", WhoKind::signed_in},
    {"unverified", WhoKind::unverified},
    {"keys", WhoKind::keys},
};

} // namespace

bool is_team_name(std::string_view name) { return is_word(name); }

Result<Who> Who::parse(std::string_view text) {
    for (const auto& [word, kind] : plain_words)
        if (text == word) return Who{.kind = kind};
    if (text.starts_with("key:")) {
        Who who{.kind = WhoKind::key, .name = std::string(text.substr(4))};
        if (is_name(who.name, max_id_bytes) && plain_ascii(who.name) == who.name) return who;
        return unreadable("'key:' is followed by a key's id: key:vk_…");
    }
    if (text.starts_with("team:")) {
        if (is_word(text.substr(5)))
            return Who{.kind = WhoKind::team, .name = std::string(text.substr(5))};
        return unreadable("a team's name is 1 to 64 of a-z 0-9 - _");
    }
    if (auto bare = parse_person(Who{}, text)) return std::move(*bare);
    const auto slash = text.find('/');
    if (slash == text.npos) return unknown_form(text);
    return parse_with_realm(text.substr(0, slash), text.substr(slash + 1));
}

std::string Who::text() const {
    for (const auto& [word, of] : plain_words)
        if (kind == of) return std::string(word);
    const auto of_realm = realm.empty() ? std::string() : realm + "/";
    switch (kind) {
    case WhoKind::everyone:
    case WhoKind::signed_in:
    case WhoKind::unverified:
    case WhoKind::keys: break;
    case WhoKind::key: return "key:" + name;
    case WhoKind::team: return "team:" + name;
    case WhoKind::members: return of_realm + "everyone";
    case WhoKind::user: return of_realm + "user:" + name;
    case WhoKind::group: return of_realm + "group:" + name;
    case WhoKind::email: return of_realm + "email:" + name;
    case WhoKind::domain: return of_realm + "email:*@" + name;
    case WhoKind::claim: return of_realm + "claim:" + name + "=" + value;
    }
    return {};
}

bool Who::names_one() const {
    return kind == WhoKind::key || kind == WhoKind::user || kind == WhoKind::email;
}

} // namespace consentgate::core
