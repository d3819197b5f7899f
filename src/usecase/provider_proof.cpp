#include "provider_proof.h"

#include "provider_call.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/github.h"
#include "consentgate/core/signin/graph.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/provider_keys.h"

#include <chrono>

namespace consentgate::usecase {
namespace {

core::Result<sys::HttpResponse> redeem(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Secret& code, core::Instant now) {
    const auto verifier =
        core::unseal(deps.keyring, state.key_id, state.verifier, state.verifier_aad());
    if (!verifier) return does_not_open("a PKCE verifier");
    const auto secret = client_secret_of(deps, idp);
    if (!secret) return secret.error();
    auto request = core::signin_code_request(idp, *secret, code, *verifier, deps.policy);
    return ask_token_endpoint(deps, idp, *secret, std::move(request), now);
}

core::Result<core::ProvedClaims> prove(
    const core::IdentityProvider& idp, const core::SigninState& state,
    const core::ProviderTokens& tokens, const core::ProviderKeys& keys, core::Instant now) {
    core::ExpectedIdToken expected{.nonce_hash = state.nonce, .access_token = tokens.access_token};
    if (state.max_age) expected.max_age = state.max_age->count();
    expected.acr = core::split(state.acr, ' ');
    return core::validate_id_token(tokens.id_token.reveal(), idp, keys, expected, now);
}

} // namespace

core::Result<std::optional<core::JsonObject>> ask_userinfo(
    Dependencies& deps, const core::IdentityProvider& idp, const core::ProvedClaims& proved,
    const core::Secret& access_token, const core::ProviderKeys& keys) {
    using Claims = std::optional<core::JsonObject>;
    if (!core::needs_userinfo(proved, idp)) return Claims();
    auto response = ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::signin,
         .url = idp.userinfo_endpoint,
         .headers = {
             {"Accept", "application/json, application/jwt"},
             {"Authorization", "Bearer " + access_token.reveal()}}});
    return core::read_userinfo(reply_of(std::move(response)), proved, idp, keys)
        .transform([](auto claims) { return Claims(std::move(claims)); });
}

namespace {

sys::HttpResponse ask_with_token(
    Dependencies& deps, const core::IdentityProvider& idp, const std::string& url,
    const core::Secret& access_token, std::chrono::steady_clock::time_point deadline) {
    return ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::signin,
         .url = url,
         .headers =
             {{"Accept", "application/json"}, {"Authorization", "Bearer " + access_token.reveal()}},
         .deadline = deadline});
}

std::chrono::steady_clock::time_point end_of_pages() {
    return std::chrono::steady_clock::now() + core::group_pages_time;
}

// All pages of one list. out: absent: not all of them came
// in: read  makes a core::GroupPage of an answer and of the address that was asked
template <class Read>
std::optional<std::vector<std::string>> ask_pages(
    Dependencies& deps, const core::IdentityProvider& idp, std::string url,
    const core::Secret& access_token, std::chrono::steady_clock::time_point deadline,
    const Read& read) {
    std::vector<std::string> names;
    for (std::size_t page = 0; page < core::max_group_pages; ++page) {
        auto got = read(ask_with_token(deps, idp, url, access_token, deadline), url);
        if (!got) return std::nullopt;
        names.insert(names.end(), got->names.begin(), got->names.end());
        if (got->next.empty()) return names;
        url = got->next;
    }
    return std::nullopt;
}

} // namespace

void ask_missing_groups(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Secret& access_token,
    core::PersonClaims& claims) {
    const auto url = core::graph_groups_url(idp.issuer);
    if (!core::needs_graph(claims, idp) || url.empty()) return;
    const auto read = [](sys::HttpResponse response, const std::string& asked) {
        return core::read_graph_groups(reply_of(std::move(response)), asked);
    };
    core::apply_asked_groups(
        claims, ask_pages(deps, idp, url, access_token, end_of_pages(), read), idp);
}

namespace {

core::Result<ProvedPerson> prove_by_id_token(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::ServiceReply& reply, core::Instant now) {
    auto tokens = core::read_provider_tokens(reply);
    if (!tokens) return tokens.error();
    const auto keys = provider_keys_for(deps, idp, tokens->id_token.reveal(), now);
    if (!keys) return keys.error();
    auto proved = prove(idp, state, *tokens, *keys, now);
    if (!proved) return proved.error();
    auto userinfo = ask_userinfo(deps, idp, *proved, tokens->access_token, *keys);
    if (!userinfo) return userinfo.error();
    ProvedPerson found{
        .token = std::move(*proved),
        .userinfo = std::move(*userinfo),
        .refresh_token = std::move(tokens->refresh_token)};
    found.claims = core::person_claims(found.token, found.userinfo, idp);
    ask_missing_groups(deps, idp, tokens->access_token, found.claims);
    return found;
}

// Organisations and teams are two lists, and groups are known when both came whole.
std::optional<std::vector<std::string>> ask_github_groups(
    Dependencies& deps, const core::IdentityProvider& idp, const core::GithubToken& token,
    std::chrono::steady_clock::time_point deadline) {
    if (!token.may_read_groups) return std::nullopt;
    const auto read = [](sys::HttpResponse response, const std::string& asked) {
        const auto link = response.link;
        return core::read_github_groups(reply_of(std::move(response)), link, asked);
    };
    const auto ask = [&](const char* list) {
        const auto url = idp.userinfo_endpoint + list + "?per_page=100";
        return ask_pages(deps, idp, url, token.access_token, deadline, read);
    };
    auto organisations = ask("/orgs");
    if (!organisations) return std::nullopt;
    const auto teams = ask("/teams");
    if (!teams) return std::nullopt;
    organisations->insert(organisations->end(), teams->begin(), teams->end());
    return organisations;
}

core::Result<ProvedPerson> prove_by_github(
    Dependencies& deps, const core::IdentityProvider& idp, const core::ServiceReply& reply,
    core::Instant now) {
    const auto token = core::read_github_token(reply);
    if (!token) return token.error();
    auto found = ask_github(deps, idp, *token, now);
    if (found) found->refresh_token = core::kept_github_token(*token);
    return found;
}

} // namespace

core::Result<ProvedPerson> ask_github(
    Dependencies& deps, const core::IdentityProvider& idp, const core::GithubToken& token,
    core::Instant now) {
    const auto deadline = end_of_pages();
    const auto ask = [&](const std::string& url) {
        return reply_of(ask_with_token(deps, idp, url, token.access_token, deadline));
    };
    const auto user = ask(idp.userinfo_endpoint);
    if (auto taken = core::check_github_token(user);
        !taken && taken.error().code == core::ErrorCode::invalid_grant)
        return taken.error();
    auto proved = core::read_github_user(user, idp, now);
    if (!proved) return proved.error();
    if (idp.email_trust != core::EmailTrust::never)
        core::add_github_email(*proved, ask(idp.userinfo_endpoint + "/emails"));
    ProvedPerson found{.token = std::move(*proved)};
    found.claims = core::person_claims(found.token, std::nullopt, idp);
    if (!idp.groups_claim.empty())
        core::apply_asked_groups(found.claims, ask_github_groups(deps, idp, token, deadline), idp);
    return found;
}

core::Result<ProvedPerson> prove_person(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Secret& code, core::Instant now) {
    auto answer = redeem(deps, idp, state, code, now);
    if (!answer) return answer.error();
    auto found = idp.has_id_tokens()
                     ? prove_by_id_token(deps, idp, state, reply_of(std::move(*answer)), now)
                     : prove_by_github(deps, idp, reply_of(std::move(*answer)), now);
    if (found) found->person = core::person_from(found->token, found->claims, idp.id, now);
    return found;
}

} // namespace consentgate::usecase
