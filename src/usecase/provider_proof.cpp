#include "provider_proof.h"

#include "provider_call.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/provider_keys.h"

namespace consentgate::usecase {
namespace {

core::Result<sys::HttpResponse> redeem(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Secret& code) {
    const auto verifier =
        core::unseal(deps.keyring, state.key_id, state.verifier, state.verifier_aad());
    if (!verifier) return does_not_open("a PKCE verifier");
    const auto secret = client_secret_of(deps, idp);
    if (!secret) return secret.error();
    auto request = core::signin_code_request(idp, *secret, code, *verifier, deps.policy);
    return ask_idp(deps, idp, form_post(sys::PlaceKind::signin, std::move(request)));
}

core::Result<core::ProvedClaims> prove(
    const core::IdentityProvider& idp, const core::SigninState& state,
    const core::ProviderTokens& tokens, const core::ProviderKeys& keys, core::Instant now) {
    core::ExpectedIdToken expected{.nonce_hash = state.nonce, .access_token = tokens.access_token};
    if (state.max_age) expected.max_age = state.max_age->count();
    if (!state.acr.empty()) expected.acr.push_back(state.acr);
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

core::Result<ProvedPerson> prove_person(
    Dependencies& deps, const core::IdentityProvider& idp, const core::SigninState& state,
    const core::Secret& code, core::Instant now) {
    auto answer = redeem(deps, idp, state, code);
    if (!answer) return answer.error();
    auto tokens = core::read_provider_tokens(reply_of(std::move(*answer)));
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
    found.person = core::person_from(found.token, found.claims, idp.id, now);
    return found;
}

} // namespace consentgate::usecase
