#include "consentgate/core/signin/github.h"

#include "provider_reply.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/identity_provider.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_token_bytes = 4096;
// Before an access token that is kept; no token holds a blank.
constexpr std::string_view with_groups = "access ", without_groups = "access-without-groups ";

Error over(const char* reason) {
    return make_error(
        ErrorCode::invalid_grant, PublicMessage{"the person has to sign in again"},
        LogDetail{reason});
}

Error no_word(std::string reason) {
    return make_error(
        ErrorCode::service_unavailable, PublicMessage{"the identity provider does not answer"},
        LogDetail{std::move(reason)});
}

std::string api_of(const std::string& issuer) {
    const auto host = authority_of(issuer);
    if (host == "github.com" || host.ends_with(".ghe.com")) return "https://api." + host;
    return issuer + "/api/v3";
}

bool lets_read_groups(const std::string& scope) {
    if (trim(scope).empty()) return true; // of an app whose rights are no scopes
    const auto given = split(scope, ',');
    return std::any_of(given.begin(), given.end(), [](const auto& one) {
        const auto name = trim(one);
        return name == "read:org" || name == "write:org" || name == "admin:org";
    });
}

// The reader of JSON wants an object at the top, and the lists of the API have none.
std::optional<JsonArray> list_of(const ServiceReply& reply) {
    const auto wrapped = parse_json_object(
        "{\"lists\":[" + std::string(without_byte_order_mark(reply.body.reveal())) + "]}");
    const auto* lists = wrapped && wrapped->size() == 1 ? wrapped->array("lists") : nullptr;
    const auto* list = lists != nullptr && lists->size() == 1 ? lists->front().array() : nullptr;
    return list == nullptr ? std::nullopt : std::optional(*list);
}

// "org" of an organisation, "org/team" of a team; empty when it is neither.
std::string name_in(const Json& entry) {
    const auto* object = entry.object();
    if (object == nullptr) return {};
    const auto* organisation = object->object("organization");
    if (organisation == nullptr) return lower_ascii(object->text("login").value_or(""));
    const auto org = organisation->text("login").value_or("");
    const auto slug = object->text("slug").value_or("");
    return org.empty() || slug.empty() ? std::string() : lower_ascii(org + "/" + slug);
}

// The target of the link whose relation is "next"; empty: there is none. GitHub writes
// <URL>; rel="next", and no comma stands in its URLs.
std::string next_in(const std::string& link) {
    for (const auto& one : split(link, ',')) {
        const auto text = trim(one);
        const auto end = text.find('>');
        if (!text.starts_with('<') || end == std::string_view::npos) continue;
        const auto rest = text.substr(end);
        if (rest.find("rel=\"next\"") == std::string_view::npos) continue;
        return std::string(text.substr(1, end - 1));
    }
    return {};
}

} // namespace

ProviderMetadata github_metadata(const std::string& issuer) {
    ProviderMetadata metadata;
    metadata.issuer = issuer;
    metadata.authorization_endpoint = issuer + "/login/oauth/authorize";
    metadata.token_endpoint = issuer + "/login/oauth/access_token";
    metadata.userinfo_endpoint = api_of(issuer) + "/user";
    metadata.auth_methods = {ClientAuth::client_secret_post};
    return metadata;
}

Result<GithubToken> read_github_token(const ServiceReply& reply) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    if (!body) return bad_answer("token", "the answer is no JSON object");
    if (body->has("error")) return refused_answer(reply);
    auto token = body->text("access_token").value_or("");
    const bool visible =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (token.empty() || token.size() > max_token_bytes || !visible)
        return bad_answer("access_token", "access_token is missing or cannot be used");
    if (!same_ignoring_case(body->text("token_type").value_or(""), "Bearer"))
        return bad_answer("token_type", "token_type is not Bearer");
    GithubToken read{
        .access_token = Secret(std::move(token)),
        .may_read_groups = lets_read_groups(body->text("scope").value_or(""))};
    if (auto refresh = body->text("refresh_token").value_or("");
        !refresh.empty() && refresh.size() <= max_token_bytes && refresh.find(' ') == refresh.npos)
        read.refresh_token = Secret(std::move(refresh));
    return read;
}

Secret kept_github_token(const GithubToken& token) {
    if (token.refresh_token) return *token.refresh_token;
    return Secret(
        std::string(token.may_read_groups ? with_groups : without_groups) +
        token.access_token.reveal());
}

std::optional<GithubToken> github_token_of(const Secret& kept) {
    const auto& text = kept.reveal();
    for (const auto mark : {with_groups, without_groups})
        if (text.starts_with(mark))
            return GithubToken{
                .access_token = Secret(text.substr(mark.size())),
                .may_read_groups = mark == with_groups};
    return std::nullopt;
}

Result<GithubToken> read_renewed_github_token(const ServiceReply& reply) {
    const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    if (reply.answered && body && body->text("error") == "bad_refresh_token")
        return over("GitHub takes the refresh token no more");
    auto token = read_github_token(reply);
    if (!token) return no_word(token.error().reason);
    return token;
}

Checked check_github_token(const ServiceReply& reply) {
    if (reply.answered && reply.status == 401) return over("GitHub takes the token no more");
    if (auto answered = check_answered(reply); !answered) return no_word(answered.error().reason);
    return Nothing{};
}

Result<ProvedClaims> read_github_user(
    const ServiceReply& reply, const IdentityProvider& provider, Instant now) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const auto user = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    if (!user) return bad_answer("user", "the answer is no JSON object");
    const auto id = user->integer("id").value_or(0);
    if (id <= 0) return bad_answer("id", "the account has no number");
    ProvedClaims proved;
    proved.issuer = provider.issuer;
    proved.subject = std::to_string(id);
    proved.issued_at = now;
    proved.claims.set("iss", proved.issuer).set("sub", proved.subject);
    const auto take = [&](const char* from, const char* as) {
        if (auto text = user->text(from); text && !text->empty())
            proved.claims.set(as, *std::move(text));
    };
    take("login", "preferred_username");
    take("name", "name");
    return proved;
}

void add_github_email(ProvedClaims& proved, const ServiceReply& reply) {
    if (!check_answered(reply)) return;
    const auto list = list_of(reply);
    if (!list) return;
    for (const auto& entry : *list) {
        const auto* address = entry.object();
        if (address == nullptr || address->flag("primary") != true) continue;
        if (auto email = address->text("email"))
            proved.claims.set("email", *std::move(email))
                .set("email_verified", address->flag("verified").value_or(false));
        return;
    }
}

Result<GroupPage> read_github_groups(
    const ServiceReply& reply, const std::string& link, const std::string& asked) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const auto list = list_of(reply);
    if (!list) return bad_answer("groups", "the answer is no JSON array");
    GroupPage page;
    for (const auto& entry : *list) {
        auto name = name_in(entry);
        if (name.empty()) return bad_answer("groups", "a group has no name");
        page.names.push_back(std::move(name));
    }
    auto next = following_page(asked, next_in(link));
    if (!next) return std::move(next).error();
    page.next = *std::move(next);
    return page;
}

} // namespace consentgate::core
