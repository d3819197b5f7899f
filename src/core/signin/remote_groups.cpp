#include "consentgate/core/signin/remote_groups.h"

#include "group_claims.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_variable = 100, max_separator = 8;
constexpr Span lasting{3600}; // of what was said before, so that not each page writes

Error unusable(const char* message) {
    return make_error(ErrorCode::invalid_request, PublicMessage{message});
}

bool is_variable(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    };
    return !name.empty() && name.size() <= max_variable && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return letter(c) || (c >= '0' && c <= '9');
           });
}

// Variables of CGI (RFC 3875) that say what the client sent, or what was asked.
bool is_of_request(std::string_view name) {
    static constexpr std::string_view begins[] = {
        "http_",     "content_", "query_",   "request_",  "path_", "script_",
        "document_", "server_",  "gateway_", "redirect_", "fcgi_", "consentgate_"};
    static constexpr std::string_view whole[] = {"remote_addr",  "remote_host", "remote_port",
                                                 "remote_ident", "remote_user", "auth_type",
                                                 "https"};
    const auto lower = lower_ascii(name);
    return std::any_of(
               std::begin(begins), std::end(begins),
               [&](std::string_view begin) { return lower.starts_with(begin); }) ||
           std::find(std::begin(whole), std::end(whole), lower) != std::end(whole);
}

std::vector<std::string> parts_of(std::string_view list, std::string_view separator) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= list.size();) {
        const auto to = std::min(list.find(separator, from), list.size());
        parts.emplace_back(list.substr(from, to - from));
        from = to + separator.size();
    }
    return parts;
}

} // namespace

std::optional<PersonId> snapshot_of(const Identity& identity) {
    if (!identity.is_verified()) return std::nullopt;
    return PersonId(identity.owner(SessionId()).id());
}

Result<RemoteGroups> parse_remote_groups(std::string_view text) {
    RemoteGroups how;
    const auto colon = std::min(text.find(':'), text.size());
    how.variable = text.substr(0, colon);
    if (!is_variable(how.variable))
        return unusable("must be the name of a variable, and may have a colon and the separator "
                        "behind it: OIDC_CLAIM_groups:,");
    if (is_of_request(how.variable))
        return unusable("must not be a variable that clients fill, as those of CGI and those that "
                        "begin with HTTP_");
    if (colon == text.size()) return how;
    how.separator = text.substr(colon + 1);
    if (how.separator.empty() || how.separator.size() > max_separator || has_control(how.separator))
        return unusable("has a separator of 1 to 8 bytes behind the colon");
    return how;
}

Person remote_person(
    const Identity& user, const std::optional<std::string>& listed, const RemoteGroups& how,
    Instant now) {
    Person person;
    person.id = *snapshot_of(user);
    person.idp = IdpId(std::string(remote_idp));
    person.issuer = remote_idp; // which is no address, as an issuer is
    person.subject = person.name = user.value;
    person.groups_known = listed.has_value();
    if (listed) {
        auto names = parts_of(*listed, how.separator);
        std::erase(names, "");
        std::vector<const std::string*> pointers;
        for (const auto& name : names) pointers.push_back(&name);
        auto named = read_group_names(pointers);
        person.groups_known = named.known;
        person.groups = std::move(named.groups);
    }
    person.first_signin = person.last_signin = person.checked_at = person.snapshot_at = now;
    person.version = 1;
    return person;
}

bool is_news(const Person& known, const Person& now_said) {
    return known.groups_known != now_said.groups_known || known.groups != now_said.groups ||
           known.checked_at + lasting <= now_said.checked_at;
}

} // namespace consentgate::core
