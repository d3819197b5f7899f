// Sample values for the tests of every module: small, valid, and alike everywhere, so that a case
// shows only what it changes.
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/upstream/service.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::tests {

inline constexpr core::Instant noon{
    core::Span{1'800'000'000}}; // divisible by 60: the beginning of a minute

// spec: RFC 7636 appendix B
inline constexpr const char* rfc7636_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
inline constexpr const char* rfc7636_challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

inline core::ScopeSet scopes(std::string_view text) { return core::ScopeSet::parse(text).value(); }

inline core::Policy sample_policy() {
    core::Policy policy;
    policy.issuer = "https://auth.example.org";
    policy.resources = {core::GuardedResource{"https://tools.example.org/mcp"}};
    policy.scopes = {
        {"mcp", "Use the tools of this server as you"},
        {"profile", "See the name you signed in with"}};
    policy.default_scopes = scopes("mcp");
    policy.identities = core::IdentityKinds::any(); // strangers too; cases of XA1 say otherwise
    return policy;
}

// Registered itself, with one address on the person's own computer: errors may go there at once.
inline core::Client sample_client(
    std::vector<std::string> redirect_uris = {"http://127.0.0.1/callback"}) {
    core::Client client;
    client.id = core::ClientId("cgc_sample");
    client.name = "Sample";
    client.redirect_uris = std::move(redirect_uris);
    client.metadata = "{}";
    client.created_at = noon;
    return client;
}

inline core::Secret sample_browser_secret() { return core::Secret(std::string(43, 'b')); }

inline core::Flow sample_flow() {
    core::Flow flow;
    flow.id = core::FlowId("flow_-34567890123456789");
    flow.id.text.resize(22);
    flow.client_id = core::ClientId("cgc_sample");
    flow.browser = core::sha256(sample_browser_secret());
    flow.redirect_uri = "http://127.0.0.1:53111/callback";
    flow.state = "a state";
    flow.code_challenge = rfc7636_challenge;
    flow.scope = scopes("mcp");
    flow.resource = "https://tools.example.org/mcp";
    flow.created_at = noon;
    flow.expires_at = noon + core::Span(900);
    return flow;
}

inline core::VirtualKey sample_virtual_key(std::string_view clear = "sk-bf-sample") {
    core::VirtualKey key;
    key.id = core::VirtualKeyId("vk_sample");
    key.name = "Anna, laptop";
    key.hash = core::sha256(clear);
    key.created_at = noon;
    return key;
}

inline core::Service sample_service(const std::string& id = "notion") {
    core::Service service;
    service.id = core::ServiceId(id);
    service.name = id == "notion" ? "Notion" : id;
    service.url = "https://" + id + ".example/mcp";
    service.issuer = "https://" + id + ".example";
    service.authorization_endpoint = "https://" + id + ".example/authorize";
    service.token_endpoint = "https://" + id + ".example/token";
    service.revocation_endpoint = "https://" + id + ".example/revoke";
    service.client_id = "ours";
    service.key_id = core::KeyId("k1");
    service.created_at = noon;
    return service;
}

inline core::Keyring sample_keyring() {
    return core::Keyring({{core::KeyId("k1"), core::Secret(std::string(32, '\1'))}});
}

inline core::FreshSession sample_fresh() {
    return {core::SessionId("session_sample"), core::Secret(std::string(43, 'c'))};
}

// The session and code that finishing sample_flow gives.
inline core::Finalization sample_finalization(
    core::Identity identity = {core::IdentityKind::skipped, {}}) {
    return core::finalize(
        sample_flow(), std::move(identity), sample_fresh(), sample_keyring(), sample_policy(),
        noon);
}

inline core::Form form_of(std::string_view text) {
    auto form = core::Form::parse(text);
    if (!form) throw std::logic_error("the test's own form is malformed: " + std::string(text));
    return std::move(*form);
}

// Parameters by name, for requests of which a case changes one.
class Parameters {
public:
    Parameters(std::initializer_list<std::pair<std::string, std::string>> pairs) : pairs_(pairs) {}

    Parameters with(const std::string& name, const std::string& value) const {
        return without(name).also(name, value);
    }
    Parameters also(const std::string& name, const std::string& value) const {
        auto more = *this;
        more.pairs_.emplace_back(name, value);
        return more;
    }
    Parameters without(const std::string& name) const {
        auto fewer = *this;
        std::erase_if(fewer.pairs_, [&](const auto& pair) { return pair.first == name; });
        return fewer;
    }
    std::string text() const {
        std::string out;
        for (const auto& [name, value] : pairs_)
            out += (out.empty() ? "" : "&") + core::percent_encode(name) + "=" +
                   core::percent_encode(value);
        return out;
    }
    core::Form form() const { return form_of(text()); }
    std::string value(const std::string& name) const {
        const auto found = std::find_if(
            pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == name; });
        return found == pairs_.end() ? std::string() : found->second;
    }

private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

inline Parameters sample_authorize() {
    return {
        {"response_type", "code"},
        {"client_id", "cgc_sample"},
        {"state", "a state"},
        {"redirect_uri", "http://127.0.0.1:53111/callback"},
        {"scope", "mcp"},
        {"code_challenge", rfc7636_challenge},
        {"code_challenge_method", "S256"},
        {"resource", "https://tools.example.org/mcp"}};
}

inline Parameters sample_exchange() {
    return {
        {"grant_type", "authorization_code"},
        {"client_id", "cgc_sample"},
        {"code", std::string(43, 'c')},
        {"code_verifier", rfc7636_verifier}};
}

// "ok", or the name of the error code.
template <class Value> std::string code_of(const core::Result<Value>& result) {
    return result ? "ok" : std::string(core::traits(result.error().code).name);
}

inline std::string text_of(const std::optional<std::string>& text) {
    return text ? *text : "(absent)";
}

// The value of one query parameter of a URI; "(absent)", or "(repeated)".
inline std::string query_value(const std::string& uri, const std::string& name) {
    const auto question = uri.find('?');
    const auto form = form_of(question == std::string::npos ? "" : uri.substr(question + 1));
    if (form.count(name) > 1) return "(repeated)";
    return text_of(form.raw(name));
}

inline std::optional<core::JsonObject> json_of(const std::string& text) {
    auto object = core::parse_json_object(text);
    if (!object) throw std::logic_error("not a JSON object: " + text);
    return object;
}

// Names of all members, in order, e.g. "client_id redirect_uris".
inline std::string members_of(const core::JsonObject& object) {
    std::vector<std::string> names;
    for (const auto& member : object.members()) names.push_back(member.name);
    return core::join(names, " ");
}

// The texts of an array member, joined by blanks.
inline std::string array_of(const core::JsonObject& object, const std::string& name) {
    const auto texts = object.texts(name);
    return texts ? core::join(*texts, " ") : "(absent)";
}

inline std::string member_of(const core::JsonObject& object, const std::string& name) {
    return text_of(object.text(name));
}

} // namespace consentgate::tests
