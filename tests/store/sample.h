// Rows for the store suite, each with ids of its own.
#pragma once

#include "case.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/consent.h"

#include <random>

namespace consentgate::tests {

inline const core::Instant noon = core::from_epoch(1'800'000'000);

// Not sys::Random: these tests link nothing to the right of store.
inline std::string fresh_bytes(std::size_t count) {
    std::random_device device;
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(device());
    return bytes;
}
inline std::string fresh_id() { return core::to_base64url(fresh_bytes(16)); }
inline core::Digest fresh_digest() { return core::sha256(fresh_bytes(32)); }

inline core::Policy sample_policy() {
    core::Policy policy;
    policy.issuer = "https://tools.example.org";
    policy.resources = {core::GuardedResource{"https://tools.example.org/mcp"}};
    policy.scopes = {{"mcp", "Use the tools"}};
    policy.default_scopes = *core::ScopeSet::parse("mcp");
    return policy;
}

inline const core::Keyring& sample_keyring() {
    static const core::Keyring keyring({{core::KeyId("k1"), core::Secret(std::string(32, 'k'))}});
    return keyring;
}

inline core::Client sample_client() {
    core::Client client;
    client.id = core::ClientId("cgc_" + fresh_id());
    client.name = "Sämple Client";
    client.redirect_uris = {"http://127.0.0.1/callback", "cursor://x.y/z"};
    client.scope = "mcp";
    client.metadata = "{}";
    client.created_at = noon;
    return client;
}

inline core::Flow sample_flow(const core::ClientId& client) {
    core::Flow flow;
    flow.id = core::FlowId(fresh_id());
    flow.client_id = client;
    flow.browser = fresh_digest();
    flow.redirect_uri = "http://127.0.0.1:53111/callback?x=1";
    flow.state = "st&te=é";
    flow.code_challenge = std::string(43, 'c');
    flow.scope = *core::ScopeSet::parse("mcp");
    flow.resource = "https://tools.example.org/mcp";
    flow.created_at = noon;
    flow.expires_at = noon + core::Span(900);
    return flow;
}

inline core::Flow put_sample_flow(store::Store& store) {
    const auto client = sample_client();
    store.clients.put(client);
    auto flow = sample_flow(client.id);
    store.flows.put(flow);
    return flow;
}

inline core::VirtualKey sample_key() {
    return {
        core::VirtualKeyId("vk_" + fresh_id()),
        "Anna",
        fresh_digest(),
        true,
        noon,
        std::nullopt,
        {"notion", "github"}};
}

inline core::LinkedAccount sample_token(const std::string& service) {
    core::LinkedAccount token;
    token.id = fresh_id();
    token.service = core::ServiceId(service);
    token.access_token = "ciphertext " + fresh_id();
    token.refresh_token = "refresh " + fresh_id();
    token.key_id = core::KeyId("k1");
    token.scope = "read write";
    token.expires_at = noon + core::Span(3600);
    return token;
}

inline core::Service sample_service() {
    core::Service service;
    service.id = core::ServiceId("s-" + fresh_id());
    service.name = "Notion";
    service.url = "https://mcp.notion.example/mcp";
    service.issuer = "https://mcp.notion.example";
    service.authorization_endpoint = "https://mcp.notion.example/authorize";
    service.token_endpoint = "https://mcp.notion.example/token";
    service.client_id = "consentgate";
    service.auth = core::ClientAuth::client_secret_basic;
    service.client_secret = std::string("\0cipher\xff", 8);
    service.key_id = core::KeyId("k1");
    service.created_at = noon;
    return service;
}

inline core::Finalization finalization_of(
    const core::Flow& flow, core::Identity identity = {core::IdentityKind::skipped, {}},
    core::Instant now = noon) {
    return core::finalize(
        flow, std::move(identity),
        {core::SessionId(fresh_id()), core::Secret(core::to_base64url(fresh_bytes(32)))},
        sample_keyring(), sample_policy(), now);
}

// As a submit does it: with the flow's accounts, sealed for the session's owner.
inline store::Applied finalize(store::Store& store, const core::Finalization& finalization) {
    auto accounts = store.accounts.list(finalization.flow_owner);
    for (auto& account : accounts) account.owner = finalization.session_owner;
    return store.flows.finalize(finalization, accounts);
}

// The rows of one consent, for "everything or nothing".
struct Traces {
    bool flow = false, session = false, code = false;
    std::size_t tokens_with_flow = 0, tokens_with_session = 0;

    bool untouched(std::size_t tokens) const {
        return flow && !session && !code && tokens_with_flow == tokens && tokens_with_session == 0;
    }
    bool finalized(std::size_t tokens) const {
        return !flow && session && code && tokens_with_flow == 0 && tokens_with_session == tokens;
    }
};

inline Traces traces_of(store::Store& store, const core::Finalization& finalization) {
    Traces traces;
    traces.flow = store.flows.find(finalization.flow_id).has_value();
    traces.session = store.sessions.find(finalization.session.token).has_value();
    traces.code = store.codes.find(finalization.code.hash).has_value();
    traces.tokens_with_flow = store.accounts.list(finalization.flow_owner).size();
    traces.tokens_with_session = store.accounts.list(finalization.session_owner).size();
    return traces;
}

} // namespace consentgate::tests
