#include "consentgate/core/signin/signin_request.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/identity_provider.h"

#include <algorithm>

namespace consentgate::core {
namespace {

// Google and GitHub take the word and announce none.
bool knows_prompt(const IdentityProvider& idp, std::string_view prompt) {
    return idp.kind == ProviderKind::google || !idp.has_id_tokens() ||
           std::find(idp.prompts.begin(), idp.prompts.end(), prompt) != idp.prompts.end();
}

// The addresses of a provider with many tenants: each has its id in place of the template's.
bool is_issuer_of(const IdentityProvider& idp, const std::string& iss) {
    if (iss == idp.issuer) return true;
    if (!idp.has_many_tenants()) return false;
    const auto at = idp.issuer.find(tenant_place);
    return std::any_of(
        idp.allowed_tenants.begin(), idp.allowed_tenants.end(), [&](const auto& tenant) {
            return iss ==
                   idp.issuer.substr(0, at) + tenant + idp.issuer.substr(at + tenant_place.size());
        });
}

// Access while the person is away needs their consent each time, and is else not given. Microsoft
// and Okta give it without.
// spec: OpenID Connect Core 11
std::string prompt_of(const IdentityProvider& idp, const SigninQuestion& question) {
    const bool consents = idp.recheck_after && idp.has_id_tokens() &&
                          idp.kind != ProviderKind::entra && idp.kind != ProviderKind::okta;
    if (!consents) return question.prompt;
    return question.prompt.empty() ? "consent" : question.prompt + " consent";
}

} // namespace

Error invalid_signin(std::string reason) {
    return make_error(
        ErrorCode::invalid_signin, PublicMessage{"this sign-in is not under way"},
        LogDetail{std::move(reason)}, "state");
}

// `login` is known to every provider, and makes it ask for the account too.
SigninQuestion signin_question(
    const IdentityProvider& idp, const WantedProof& wanted, bool another) {
    // Google and GitHub do not say when somebody proved themselves, and ask for an account at most.
    SigninQuestion question;
    if (idp.gives_proof()) question.max_age = wanted.max_age;
    const bool choose = another || wanted.prompt == "select_account" ||
                        (wanted.prompt == "login" && !idp.gives_proof());
    if (wanted.prompt == "login" && idp.gives_proof())
        question.prompt = "login";
    else if (choose)
        question.prompt = knows_prompt(idp, "select_account") ? "select_account" : "login";
    return question;
}

Secret signin_authorize_url(
    const IdentityProvider& idp, const SigninQuestion& question, const SigninSecrets& secrets,
    const Policy& policy) {
    std::vector<std::pair<std::string, std::string>> parameters{
        {"response_type", "code"},
        {"client_id", idp.client_id},
        {"redirect_uri", signin_callback_url(policy.issuer, idp.id)},
        {"scope", idp.scope},
        {"state", secrets.state.reveal()},
        {"code_challenge", to_base64url(sha256_bytes(secrets.verifier.reveal()))},
        {"code_challenge_method", "S256"}};
    if (idp.has_id_tokens()) parameters.emplace_back("nonce", secrets.nonce.reveal());
    if (const auto prompt = prompt_of(idp, question); !prompt.empty())
        parameters.emplace_back("prompt", prompt);
    if (idp.recheck_after && idp.kind == ProviderKind::google)
        parameters.emplace_back("access_type", "offline");
    if (question.max_age)
        parameters.emplace_back("max_age", std::to_string(question.max_age->count()));
    if (!question.acr.empty()) parameters.emplace_back("acr_values", join(question.acr, " "));
    for (const auto& more : idp.authorize_parameters) {
        const auto equals = std::min(more.find('='), more.size());
        parameters.emplace_back(
            more.substr(0, equals), more.substr(std::min(equals + 1, more.size())));
    }
    return Secret(append_query(idp.authorization_endpoint, parameters));
}

Result<Callback> read_signin_answer(const CallbackParameters& sent) {
    if (sent.state.repeated() || sent.code.repeated() || sent.error.repeated() ||
        sent.iss.repeated())
        return invalid_signin("a parameter of the answer came more than once");
    auto answer = parse_callback(sent);
    if (!answer) return invalid_signin(answer.error().reason);
    return answer;
}

Checked check_signin_answer(
    const SigninState& state, const IdpId& at, const std::optional<Digest>& browser, Instant now) {
    if (!browser || !(*browser == state.browser)) {
        return make_error(
            ErrorCode::browser_mismatch,
            PublicMessage{"this sign-in was started in another browser"},
            LogDetail{browser ? "another cookie" : "no cookie"}, "state");
    }
    if (at != state.idp)
        return invalid_signin("the answer came to the address of another provider");
    if (state.expires_at <= now) return invalid_signin("expired");
    return Nothing{};
}

Checked check_signin_provider(
    const Callback& answer, const SigninState& state, const std::optional<IdentityProvider>& idp) {
    // A provider may be tried before people sign in there.
    if (!idp || !(idp->active || state.trial))
        return invalid_signin("its provider is switched off");
    if (idp->version != state.idp_version)
        return invalid_signin("its provider was changed meanwhile");
    if (answer.iss && !is_issuer_of(*idp, *answer.iss))
        return invalid_signin("the answer names another issuer");
    if (!answer.iss && idp->sends_iss) return invalid_signin("the answer names no issuer");
    return Nothing{};
}

std::string sent_error(std::string_view location) {
    const auto query = location.find('?');
    if (query == std::string_view::npos) return {};
    const auto form = Form::parse(location.substr(query + 1));
    return form ? form->get("error").value_or("") : std::string();
}

bool wants_a_person(std::string_view error) {
    return error == "login_required" || error == "interaction_required" ||
           error == "consent_required" || error == "account_selection_required";
}

ServiceRequest signin_code_request(
    const IdentityProvider& idp, const Secret& client_secret, const Secret& code,
    const Secret& verifier, const Policy& policy) {
    Service service;
    service.token_endpoint = idp.token_endpoint;
    service.client_id = idp.client_id;
    const bool by_key = idp.auth == ClientAuth::private_key_jwt; // prove_by_key() adds the proof
    service.auth = by_key ? ClientAuth::none : idp.auth;
    return code_request(
        service, client_secret, code, verifier, signin_callback_url(policy.issuer, idp.id));
}

Person person_from(
    const ProvedClaims& proved, const PersonClaims& claims, const IdpId& idp, Instant now) {
    Person person;
    person.id = person_id(proved.issuer, proved.subject);
    person.idp = idp;
    person.issuer = proved.issuer;
    person.subject = proved.subject;
    person.name = claims.name;
    person.email = claims.email;
    person.groups = claims.groups;
    person.groups_known = claims.groups_known;
    person.claims = claims.claims;
    person.first_signin = person.last_signin = person.checked_at = now;
    person.snapshot_at = proved.issued_at;
    person.version = 1;
    return person;
}

Checked check_vouched(const Person& person, const Policy& policy, Instant now) {
    const bool limited = policy.signin_max_age > Span(0);
    if (!limited || person.checked_at + policy.signin_max_age >= now) return Nothing{};
    return make_error(
        ErrorCode::invalid_grant, PublicMessage{"the person has to sign in again"},
        LogDetail{"their last sign-in is longer ago than signin_max_age_days"});
}

std::string_view name_of(SigninOutcome outcome) {
    switch (outcome) {
    case SigninOutcome::signed_in: return "signed_in";
    case SigninOutcome::late: return "late";
    case SigninOutcome::denied: return "denied";
    case SigninOutcome::failed: return "failed";
    case SigninOutcome::unavailable: return "unavailable";
    case SigninOutcome::refused: return "refused";
    case SigninOutcome::tried: return "tried";
    }
    return {}; // past the last
}

} // namespace consentgate::core
