#include "consentgate/core/signin/person_claims.h"

#include "group_claims.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace consentgate::core {
namespace {

constexpr std::size_t max_name = 120; // characters
constexpr std::size_t max_claims_bytes = 4096;

// Members that are about the sign-in, or that say whose somebody is: only the signed ID token
// names them. spec: docs/requirements_signin.md SI45
constexpr std::array proved_alone{"iss",   "sub",       "aud", "azp", "exp",   "iat",     "nbf",
                                  "nonce", "auth_time", "acr", "amr", "sid",   "at_hash", "c_hash",
                                  "tid",   "hd",        "oid", "jti", "events"};

bool is_proved_alone(std::string_view name) {
    return std::find(proved_alone.begin(), proved_alone.end(), name) != proved_alone.end();
}

// One step of a JSON Pointer. spec: RFC 6901 section 4
std::string unescaped(std::string_view step) {
    std::string name;
    for (std::size_t i = 0; i < step.size(); ++i) {
        const bool escape = step[i] == '~' && i + 1 < step.size();
        const char next = escape ? step[i + 1] : '\0';
        const bool coded = next == '0' || next == '1';
        name += !coded ? step[i] : next == '1' ? '/' : '~';
        if (coded) ++i;
    }
    return name;
}

const Json* step_into(const Json& value, const std::string& name) {
    if (const auto* object = value.object()) return object->find(name);
    const auto* array = value.array();
    std::size_t at = 0;
    const auto* end = name.data() + name.size();
    const auto read = std::from_chars(name.data(), end, at);
    const bool whole = read.ec == std::errc() && read.ptr == end;
    return array != nullptr && whole && at < array->size() ? &(*array)[at] : nullptr;
}

bool is_given(const Json* value) { return value != nullptr && !value->is_null(); }

// The two sources of claims, the first of which nothing replaces.
struct Sources {
    const JsonObject& id_token;
    const JsonObject* userinfo; // null: it was not asked

    const Json* find(std::string_view name) const {
        const auto* proved = find_claim(id_token, name);
        if (is_given(proved) || userinfo == nullptr || is_proved_alone(claim_member(name)))
            return proved;
        return find_claim(*userinfo, name);
    }
    std::string text(std::string_view name) const {
        const auto* value = find(name);
        const auto* text = value == nullptr ? nullptr : value->text();
        return text == nullptr ? std::string() : *text;
    }
};

bool says_yes(const JsonObject& claims, std::string_view name) {
    return claims.flag(name).value_or(false) || claims.text(name) == "true";
}

// An address and the word that it is verified belong together: one of another source is about
// another address, unless both sources name the same.
const JsonObject* source_of_email(const Sources& sources, const std::string& email) {
    const auto has = [&](const JsonObject& claims) {
        return claims.has("email_verified") || claims.has("xms_edov");
    };
    const bool in_token = sources.id_token.text("email") == email;
    if (in_token && (has(sources.id_token) || sources.userinfo == nullptr))
        return &sources.id_token;
    const bool in_userinfo =
        sources.userinfo != nullptr && sources.userinfo->text("email") == email;
    return in_userinfo ? sources.userinfo : &sources.id_token;
}

// One address that no program reads as another: visible ASCII, one @, nothing quoted.
bool is_plain_address(const std::string& email) {
    constexpr std::size_t max_bytes = 254; // spec: RFC 5321 section 4.5.3.1
    constexpr std::string_view special = "\"(),:;<>[\\]";
    const auto at = email.find('@');
    const auto visible = [&](char c) {
        return c > ' ' && c <= '~' && special.find(c) == std::string_view::npos;
    };
    return email.size() <= max_bytes && at != std::string::npos && at > 0 &&
           at + 1 < email.size() && email.find('@', at + 1) == std::string::npos &&
           std::all_of(email.begin(), email.end(), visible);
}

// spec: docs/requirements_signin.md SI54
bool is_verified(
    const JsonObject& source, const std::string& email, const ProvedClaims& proved,
    const IdentityProvider& provider) {
    if (provider.email_trust == EmailTrust::never) return false;
    const bool vouched = provider.email_trust == EmailTrust::always;
    // People of a tenant of Microsoft's can write any address there themselves.
    if (provider.kind == ProviderKind::entra) {
        const bool one_tenant = !provider.has_many_tenants();
        return says_yes(source, "xms_edov") || (vouched && one_tenant);
    }
    if (vouched) return true;
    if (!says_yes(source, "email_verified")) return false;
    // Google gives addresses of other companies to private accounts.
    return provider.kind != ProviderKind::google ||
           !proved.claims.text("hd").value_or("").empty() ||
           lower_ascii(email).ends_with("@gmail.com");
}

std::string email_that_counts(
    const Sources& sources, const ProvedClaims& proved, const IdentityProvider& provider) {
    auto email = sources.text("email");
    if (!is_plain_address(email)) return {};
    const auto* source = source_of_email(sources, email);
    return is_verified(*source, email, proved, provider) ? email : std::string();
}

std::string display_name(const Sources& sources, const ProvedClaims& proved) {
    for (const auto* name : {"name", "preferred_username", "email"}) {
        const auto text = sources.text(name);
        if (has_visible(text)) return std::string(trim(display_text(text, max_name)));
    }
    return display_text(proved.subject, max_name);
}

// The texts of a claim; none when it is of another shape.
std::vector<std::string> texts_of(const Json& value) {
    std::vector<std::string> texts;
    if (const auto* text = value.text()) texts.push_back(*text);
    const auto* array = value.array();
    if (array == nullptr) return texts;
    for (const auto& one : *array) {
        if (one.text() != nullptr) texts.push_back(*one.text());
    }
    return texts;
}

KeptClaims kept_claims(const Sources& sources, const IdentityProvider& provider) {
    KeptClaims kept;
    std::size_t bytes = 0;
    for (const auto& name : provider.kept_claims) {
        const auto* value = sources.find(name);
        if (value == nullptr) continue;
        auto texts = texts_of(*value);
        std::erase_if(texts, [](const std::string& text) { return has_control(text); });
        auto more = name.size();
        for (const auto& text : texts) more += text.size();
        // A part of a claim could match a rule that the whole would not.
        if (texts.empty() || bytes + more > max_claims_bytes) continue;
        bytes += more;
        kept.emplace_back(name, std::move(texts));
    }
    return kept;
}

} // namespace

std::string claim_member(std::string_view name) {
    return name.starts_with('/') ? unescaped(name.substr(1, name.substr(1).find('/')))
                                 : std::string(name);
}

const Json* find_claim(const JsonObject& claims, std::string_view name) {
    if (!name.starts_with('/')) return claims.find(name);
    const Json* found = nullptr;
    for (auto rest = name; !rest.empty();) {
        rest.remove_prefix(1);
        const auto step = unescaped(rest.substr(0, rest.find('/')));
        found = found == nullptr ? claims.find(step) : step_into(*found, step);
        if (found == nullptr) return nullptr;
        rest.remove_prefix(std::min(rest.find('/'), rest.size()));
    }
    return found;
}

bool needs_userinfo(const ProvedClaims& proved, const IdentityProvider& provider) {
    if (provider.userinfo_endpoint.empty() || provider.userinfo == UserinfoUse::never) return false;
    if (provider.userinfo == UserinfoUse::always) return true;
    const auto lacks = [&](const std::string& name) {
        return !name.empty() && !is_given(find_claim(proved.claims, name));
    };
    return lacks(provider.groups_claim) || lacks("email") || lacks("name");
}

PersonClaims person_claims(
    const ProvedClaims& proved, const std::optional<JsonObject>& userinfo,
    const IdentityProvider& provider) {
    const Sources sources{proved.claims, userinfo ? &*userinfo : nullptr};
    PersonClaims person{
        .name = display_name(sources, proved),
        .email = email_that_counts(sources, proved, provider),
        .groups = {},
        .claims = kept_claims(sources, provider)};
    if (provider.groups_claim.empty()) return person;
    auto read = read_groups(sources.find(provider.groups_claim), provider);
    const bool elsewhere = groups_are_elsewhere(proved.claims, provider) ||
                           (userinfo && groups_are_elsewhere(*userinfo, provider));
    person.groups_sent = read.sent;
    person.groups_known = read.known && !elsewhere;
    person.groups_dropped = read.dropped;
    if (person.groups_known) person.groups = std::move(read.groups);
    return person;
}

} // namespace consentgate::core
