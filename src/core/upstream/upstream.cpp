#include "consentgate/core/upstream/upstream.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/upstream/service_discovery.h"

#include <algorithm>
#include <charconv>

namespace consentgate::core {
namespace {

constexpr std::size_t state_length = 43;
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string form_of(const Parameters& parameters) {
    std::string form;
    for (const auto& [name, value] : parameters)
        form += (form.empty() ? "" : "&") + name + "=" + percent_encode(value);
    return form;
}

// spec: RFC 6749 section 2.3.1: form-encoded before they are joined
ServiceRequest request_as_us(
    const Service& service, std::string url, const Secret& client_secret, Parameters parameters) {
    ServiceRequest request;
    request.url = std::move(url);
    if (service.auth == ClientAuth::client_secret_basic) {
        const auto pair =
            percent_encode(service.client_id) + ":" + percent_encode(client_secret.reveal());
        request.authorization = Secret("Basic " + to_base64(pair, Base64::standard));
    } else {
        parameters.emplace_back("client_id", service.client_id);
        if (service.auth == ClientAuth::client_secret_post)
            parameters.emplace_back("client_secret", client_secret.reveal());
    }
    request.form = Secret(form_of(parameters));
    for (auto& [name, value] : parameters) Secret(std::move(value)); // wiped
    return request;
}

} // namespace

Error invalid_upstream_state(std::string reason) {
    return make_error(
        ErrorCode::invalid_upstream_state,
        PublicMessage{"this sign-in at the service is not under way"}, LogDetail{std::move(reason)},
        "state");
}

Error invalid_link(std::string reason) {
    return make_error(
        ErrorCode::invalid_link, PublicMessage{"this link is not good any more"},
        LogDetail{std::move(reason)}, "link");
}

Result<Service> authorize_service(
    const std::optional<Service>& service, const Identity& identity,
    const std::optional<VirtualKey>& key, Instant now) {
    const auto no = [](const char* reason) {
        return make_error(
            ErrorCode::unknown_service, PublicMessage{"there is no such service for you"},
            LogDetail{reason}, "mcp_client_id");
    };
    if (!service || !service->active) return no(service ? "disabled" : "unknown");
    if (!identity.virtual_key()) return *service;
    if (!key || !key->usable(now)) return no("the virtual key is disabled or expired");
    const auto& allowed = key->services;
    if (!allowed.empty() &&
        std::find(allowed.begin(), allowed.end(), service->id.text) == allowed.end())
        return no("not for this virtual key");
    return *service;
}

// OpenID Connect Core section 3.1.2.1 makes `login` known to every server that takes `openid`;
// these take the friendlier word, whatever is asked for.
std::string_view prompt_for_another_account(const Service& service) {
    const auto origin = plain_origin(service.authorization_endpoint);
    for (const auto* chooser :
         {"https://accounts.google.com", "https://login.microsoftonline.com",
          "https://github.com"}) {
        if (origin == chooser) return "select_account";
    }
    const auto scopes = split(service.scope, ' ');
    const bool openid = std::find(scopes.begin(), scopes.end(), "openid") != scopes.end();
    return openid ? "login" : "";
}

Secret upstream_authorize_url(
    const Service& service, const Secret& state, const Secret& verifier, const Policy& policy,
    WhichAccount which) {
    if (service.takes_keys())
        return Secret(append_query(
            policy.origin() + endpoint::key_page, Parameters{{"state", state.reveal()}}));
    Parameters parameters{
        {"response_type", "code"},
        {"client_id", service.client_id},
        {"redirect_uri", callback_url(policy, service.own_callback())},
        {"state", state.reveal()},
        {"code_challenge", to_base64url(sha256_bytes(verifier.reveal()))},
        {"code_challenge_method", "S256"}};
    if (!service.scope.empty()) parameters.emplace_back("scope", service.scope);
    std::string prompt(which == WhichAccount::another ? prompt_for_another_account(service) : "");
    // There are OpenID providers that refuse a sign-in without a nonce. We read no ID token, so
    // nothing compares it.
    const auto scopes = split(service.scope, ' ');
    if (std::find(scopes.begin(), scopes.end(), "openid") != scopes.end())
        parameters.emplace_back("nonce", to_base64url(sha256_bytes("nonce " + state.reveal())));
    if (!service.resource.empty()) parameters.emplace_back("resource", service.resource);
    for (const auto& more : service.authorize_parameters) {
        const auto equals = std::min(more.find('='), more.size());
        const auto name = more.substr(0, equals);
        auto value = more.substr(std::min(equals + 1, more.size()));
        if (name == "prompt") // a list: OpenID Connect Core section 3.1.2.1
            prompt += (prompt.empty() ? "" : " ") + value;
        else
            parameters.emplace_back(name, std::move(value));
    }
    if (!prompt.empty()) parameters.emplace_back("prompt", prompt);
    return Secret(append_query(service.authorization_endpoint, parameters));
}

Result<Callback> parse_callback(const CallbackParameters& sent) {
    Callback callback;
    const auto state = sent.state.value;
    if (!state || state->size() != state_length || !is_base64url(*state))
        return invalid_upstream_state("no state of ours");
    callback.state = Secret(*state);
    callback.iss = sent.iss.value;
    // A repeated parameter, or both a code and an error, is no answer; the state is used up.
    const auto code = sent.code.value;
    const auto error = sent.error.value;
    const bool plain = !sent.code.repeated() && !sent.error.repeated() && !sent.iss.repeated();
    if (plain && code && !error)
        callback.code = Secret(*code);
    else
        callback.error = plain && error ? plain_ascii(error->substr(0, 64)) : "malformed";
    return callback;
}

Checked check_callback(
    const UpstreamState& state, const std::optional<ServiceId>& at,
    const std::optional<Digest>& browser, Instant now) {
    if (!browser || !(*browser == state.browser)) {
        return make_error(
            ErrorCode::browser_mismatch,
            PublicMessage{"this sign-in was started in another browser"},
            LogDetail{browser ? "another cookie" : "no cookie"}, "state");
    }
    if (state.expires_at <= now) return invalid_upstream_state("expired");
    if (at != state.own_callback())
        return invalid_upstream_state("the answer came to another address than the service's");
    return Nothing{};
}

Checked check_issuer(const Callback& callback, const Service& service) {
    if (service.issuer.empty()) {
        const bool elsewhere = callback.iss && plain_origin(*callback.iss) !=
                                                   plain_origin(service.authorization_endpoint);
        return elsewhere ? Checked(invalid_upstream_state("the answer names an issuer elsewhere"))
                         : Nothing{};
    }
    if (callback.iss && *callback.iss != service.issuer) // to the letter: RFC 9207 section 2.4
        return invalid_upstream_state("the answer names another issuer");
    if (!callback.iss && service.sends_iss)
        return invalid_upstream_state("the answer names no issuer");
    return Nothing{};
}

ServiceRequest code_request(
    const Service& service, const Secret& client_secret, const Secret& code, const Secret& verifier,
    const std::string& redirect_uri) {
    Parameters parameters{
        {"grant_type", "authorization_code"},
        {"code", code.reveal()},
        {"redirect_uri", redirect_uri},
        {"code_verifier", verifier.reveal()}};
    if (service.names_resource()) parameters.emplace_back("resource", service.resource);
    return request_as_us(service, service.token_endpoint, client_secret, std::move(parameters));
}

ServiceRequest refresh_request(
    const Service& service, const Secret& client_secret, const Secret& refresh_token) {
    Parameters parameters{
        {"grant_type", "refresh_token"}, {"refresh_token", refresh_token.reveal()}};
    if (service.names_resource()) parameters.emplace_back("resource", service.resource);
    return request_as_us(service, service.token_endpoint, client_secret, std::move(parameters));
}

ServiceRequest revocation_request(
    const Service& service, const Secret& client_secret, const Secret& token,
    std::string_view hint) {
    return request_as_us(
        service, service.revocation_endpoint, client_secret,
        {{"token", token.reveal()}, {"token_type_hint", std::string(hint)}});
}

// session.expiry.fresh.key.mark: what it says can be read, and only we can have written it.
Secret make_link(
    const SessionId& session, const ServiceId& service, const std::string& fresh,
    const Keyring& keyring, Instant now) {
    const auto said = session.text + "." + std::to_string(epoch(now + link_lifetime)) + "." +
                      fresh + "." + keyring.newest().text;
    return Secret(
        said + "." + keyring.link_mark(keyring.newest(), service.text + "\n" + said)->reveal());
}

Result<Link> validate_link(
    const std::string& text, const ServiceId& service, const Keyring& keyring, Instant now) {
    const auto parts = split(text, '.');
    if (parts.size() != 5 || text.size() > 400) return invalid_link("malformed");
    const auto mark =
        keyring.link_mark(KeyId(parts[3]), service.text + "\n" + text.substr(0, text.rfind('.')));
    if (!mark || !same_bytes(mark->reveal(), parts[4]))
        return invalid_link("not ours, or for another service");
    std::int64_t expires = 0;
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), expires);
    if (from_epoch(expires) <= now) return invalid_link("expired");
    return Link{SessionId(parts[0]), service, from_epoch(expires), sha256(text)};
}

Checked check_link_principal(
    const std::optional<SessionView>& view, const std::optional<Digest>& browser,
    const Policy& policy, Instant now) {
    if (!view) return invalid_link("unknown session");
    if (const auto usable = check_session(*view, policy, now); !usable)
        return invalid_link("its session: " + usable.error().reason);
    // A person who signs in at a provider may do so in any browser.
    const bool anywhere = browser && view->session.identity.is_person();
    if (!anywhere && (!browser || !(*browser == view->session.browser))) {
        return make_error(
            ErrorCode::browser_mismatch, PublicMessage{"this link belongs to another browser"},
            LogDetail{browser ? "another cookie" : "no cookie"}, "link");
    }
    return Nothing{};
}

} // namespace consentgate::core
