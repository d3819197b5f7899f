#include "consentgate/usecase/identity_providers.h"

#include "not_found.h"
#include "provider_call.h"
#include "service_call.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/github.h"
#include "consentgate/core/signin/provider_keys.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/usecase/people.h"

#include <stdexcept>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using core::IdentityProvider;
using core::PublicMessage;

constexpr std::size_t people_at_once = 100;

core::Error failed(const std::string& message) {
    return core::make_error(
        ErrorCode::server_error, PublicMessage{message}, core::LogDetail{message});
}

// fail: the message names the address
core::Result<sys::HttpResponse> read_json(
    Dependencies& deps, const IdentityProvider& idp, const std::string& url,
    const std::string& accept) {
    auto answer = ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::discovery, .url = url, .headers = {{"Accept", accept}}});
    if (!answer.answered) return failed(url + ": " + answer.reason);
    if (answer.status != 200) {
        const auto redirect = answer.location.empty() ? "" : ", a redirect, which is not followed";
        return failed(url + ": status " + std::to_string(answer.status) + redirect);
    }
    return answer;
}

// The word that the token endpoint has for its refusal.
std::string error_word(const sys::HttpResponse& answer) {
    const auto body = core::parse_json_object(answer.body.reveal());
    return body ? core::display_text(body->text("error").value_or(""), 60) : std::string();
}

core::Error changed_meanwhile(const core::IdpId& id) {
    return core::make_error(
        ErrorCode::store_unavailable, PublicMessage{id.text + " was changed meanwhile; try again"});
}

core::Checked require_own_issuer(Dependencies& deps, const IdentityProvider& idp) {
    const auto other = deps.store.idps.find_by_issuer(idp.issuer);
    if (!other || other->id == idp.id) return core::Nothing{};
    return failed("the issuer " + idp.issuer + " is that of '" + other->id.text + "' already");
}

} // namespace

namespace {

// GitHub publishes nothing about itself. A question without a token, which it refuses, says whether
// its API is where we expect it, and what time it is there.
core::Result<PublishedProvider> ask_github(
    Dependencies& deps, const IdentityProvider& idp, core::Instant now) {
    constexpr int unauthorized = 401;
    PublishedProvider published;
    published.metadata = core::github_metadata(idp.issuer);
    const auto& url = published.metadata.userinfo_endpoint;
    const auto answer = ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::discovery,
         .url = url,
         .headers = {{"Accept", "application/json"}}});
    if (!answer.answered) return failed(url + ": " + answer.reason);
    if (answer.status != unauthorized)
        return failed(
            url + ": status " + std::to_string(answer.status) +
            " to a question without a token, which GitHub refuses with 401");
    if (answer.date) published.clock_ahead = *answer.date - now;
    return published;
}

} // namespace

core::Result<PublishedProvider> ask_provider(
    Dependencies& deps, const IdentityProvider& idp, core::Instant now) {
    if (!idp.has_id_tokens()) return ask_github(deps, idp, now);
    const auto url = core::provider_metadata_url(idp.issuer);
    const auto document = read_json(deps, idp, url, "application/json");
    if (!document) return document.error();
    auto metadata = core::read_provider_metadata(document->body.reveal(), idp.issuer);
    if (!metadata) return failed(url + ": " + metadata.error().message);
    PublishedProvider published;
    published.metadata = std::move(*metadata);
    if (document->date) published.clock_ahead = *document->date - now;
    const auto& jwks_uri = published.metadata.jwks_uri;
    const auto answer =
        read_json(deps, idp, jwks_uri, "application/json, application/jwk-set+json");
    if (!answer) return answer.error();
    const auto keys = core::read_provider_keys(answer->body.reveal());
    if (!keys) return failed(jwks_uri + ": " + keys.error().message);
    if (keys->keys.empty())
        return failed(jwks_uri + ": none of its keys can be used to verify ID tokens");
    auto kept = kept_keys(*answer, now);
    published.jwks = std::move(kept.jwks);
    published.jwks_expires_at = kept.expires_at;
    published.keys = keys->keys.size();
    published.skipped_keys = keys->skipped;
    return published;
}

void apply_published(IdentityProvider& idp, const PublishedProvider& published) {
    const auto& metadata = published.metadata;
    idp.authorization_endpoint = metadata.authorization_endpoint;
    idp.token_endpoint = metadata.token_endpoint;
    idp.jwks_uri = metadata.jwks_uri;
    idp.userinfo_endpoint = metadata.userinfo_endpoint;
    idp.end_session_endpoint = metadata.end_session_endpoint;
    idp.signing_algorithms = metadata.signing_algorithms;
    if (!metadata.prompts.empty()) idp.prompts = metadata.prompts;
    idp.sends_iss = metadata.sends_iss;
    idp.jwks = published.jwks;
    idp.jwks_expires_at = published.jwks_expires_at;
}

std::vector<std::string> provider_differences(
    const IdentityProvider& idp, const PublishedProvider& published) {
    auto now = idp;
    apply_published(now, published);
    const std::pair<const char*, std::string IdentityProvider::*> texts[] = {
        {"authorization_endpoint", &IdentityProvider::authorization_endpoint},
        {"token_endpoint", &IdentityProvider::token_endpoint},
        {"jwks_uri", &IdentityProvider::jwks_uri},
        {"userinfo_endpoint", &IdentityProvider::userinfo_endpoint},
        {"end_session_endpoint", &IdentityProvider::end_session_endpoint}};
    std::vector<std::string> differences;
    const auto compare = [&](const char* name, const std::string& kept, const std::string& said) {
        if (kept != said)
            differences.push_back(std::string(name) + ": kept '" + kept + "', now '" + said + "'");
    };
    for (const auto& [name, field] : texts) compare(name, idp.*field, now.*field);
    compare(
        "signing_algorithms", core::join(idp.signing_algorithms, " "),
        core::join(now.signing_algorithms, " "));
    compare("prompts", core::join(idp.prompts, " "), core::join(now.prompts, " "));
    compare("sends_iss", idp.sends_iss ? "yes" : "no", now.sends_iss ? "yes" : "no");
    return differences;
}

std::pair<ClientTrial, std::string> try_idp_client(
    Dependencies& deps, const IdentityProvider& idp, core::Instant now) {
    const auto secret = client_secret_of(deps, idp);
    if (!secret) return {ClientTrial::unknown, "the client secret does not open with the key file"};
    const auto sent = ask_token_endpoint(
        deps, idp, *secret,
        core::signin_code_request(
            idp, *secret, deps.random.secret(), deps.random.secret(), deps.policy),
        now);
    if (!sent) return {ClientTrial::unknown, sent.error().message};
    const auto& answer = *sent;
    if (!answer.answered) return {ClientTrial::unknown, answer.reason};
    const auto word = error_word(answer);
    const auto said = "status " + std::to_string(answer.status) + (word.empty() ? "" : " " + word);
    // The second word of each is GitHub's.
    if (word == "invalid_grant" || word == "bad_verification_code")
        return {ClientTrial::good, said};
    const bool refused = word == "invalid_client" || word == "unauthorized_client" ||
                         word == "incorrect_client_credentials";
    return {refused ? ClientTrial::refused : ClientTrial::unknown, said};
}

// A provider that knows the address sends there that nobody is logged in. One that does not must
// not redirect. spec: OpenID Connect Core 3.1.2.6; RFC 6749 section 4.1.2.1
std::pair<ClientTrial, std::string> try_idp_redirect(
    Dependencies& deps, const IdentityProvider& idp) {
    if (!idp.has_id_tokens()) return {ClientTrial::unknown, "it answers a person alone"};
    const core::SigninSecrets secrets{
        .state = deps.random.secret(),
        .nonce = deps.random.secret(),
        .verifier = deps.random.secret()};
    const auto url =
        core::signin_authorize_url(idp, {.prompt = "none"}, secrets, deps.policy).reveal();
    const auto answer = ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::discovery,
         .url = url,
         .headers = {{"Accept", "text/html"}},
         .head_only = true});
    if (!answer.answered) return {ClientTrial::unknown, answer.reason};
    const auto status = "status " + std::to_string(answer.status);
    if (answer.status >= 400 && answer.status < 500) return {ClientTrial::refused, status};
    if (!answer.location.starts_with(core::signin_callback_url(deps.policy.issuer, idp.id) + "?"))
        return {ClientTrial::unknown, status};
    const auto word = core::sent_error(answer.location);
    if (word.empty() || core::wants_a_person(word)) return {ClientTrial::good, status + " " + word};
    return {ClientTrial::refused, status + ", error " + core::display_text(word, 60)};
}

void seal_client_secret(Dependencies& deps, IdentityProvider& idp, const core::Secret& secret) {
    idp.key_id = deps.keyring.newest();
    idp.client_secret = seal(deps, idp.client_secret_aad(), secret);
}

void require_one_proof(Dependencies& deps) {
    if (deps.policy.verified_user != core::VerifiedUser::remote_user) return;
    for (const auto& idp : deps.store.idps.list()) {
        if (!idp.active) continue;
        throw std::runtime_error(
            "verified_user = remote_user lets the web server say who people are, and the identity "
            "provider '" +
            idp.id.text +
            "' says it too: set verified_user = off, or run "
            "consentgate-admin idp disable " +
            idp.id.text);
    }
}

std::vector<IdentityProvider> list_idps(Dependencies& deps) { return deps.store.idps.list(); }

core::Result<IdentityProvider> find_idp(Dependencies& deps, const core::IdpId& id) {
    auto idp = deps.store.idps.find(id);
    if (!idp) return not_found("there is no identity provider '" + id.text + "'");
    return std::move(*idp);
}

core::Checked add_idp(Dependencies& deps, const IdentityProvider& idp) {
    if (auto own = require_own_issuer(deps, idp); !own) return own;
    if (deps.store.idps.put(idp) == store::Applied::yes) return core::Nothing{};
    return failed("there is an identity provider '" + idp.id.text + "' already");
}

core::Checked update_idp(Dependencies& deps, const IdentityProvider& idp) {
    if (auto own = require_own_issuer(deps, idp); !own) return own;
    if (deps.store.idps.update(idp) == store::Applied::yes) return core::Nothing{};
    return changed_meanwhile(idp.id);
}

core::Result<std::size_t> remove_idp(
    Dependencies& deps, const core::IdpId& id, core::Instant now,
    const std::function<void(std::size_t)>& after_person) {
    std::size_t gone = 0;
    const auto some = [&] { return deps.store.idps.list_people(id, people_at_once); };
    for (auto people = some(); !people.empty(); people = some()) {
        for (const auto& person : people) {
            remove_person(deps, person, now);
            after_person(++gone);
        }
    }
    if (deps.store.idps.remove(id) == store::Applied::no)
        return core::make_error(
            ErrorCode::store_unavailable,
            PublicMessage{"somebody signed in at " + id.text + " meanwhile; try again"});
    return gone;
}

} // namespace consentgate::usecase
