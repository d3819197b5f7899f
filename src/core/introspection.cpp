#include "consentgate/core/introspection.h"

#include "consentgate/core/json.h"

namespace consentgate::core {
namespace {

constexpr std::size_t token_id_length = 32; // hexadecimal digits: 128 bits

// What a person may read in a log: the name of a key, or what was typed. Absent when nobody said who they are.
std::string user_name(const SessionView& view) {
    if (view.virtual_key) return view.virtual_key->name;
    return view.session.identity.value;
}

} // namespace

Checked judge_resource_server(const ClientCredentials& credentials, const std::optional<ResourceServer>& server) {
    if (!proves_secret(credentials, server ? server->secret : Digest{})) return client_not_proven("resource server unknown, or its secret is wrong");
    if (!server->active) return client_not_proven("resource server disabled");
    return Nothing{};
}

std::string subject_of(const Session& session) { return token_owner(session.identity, session.id); }

std::string introspection_document(const std::optional<SessionView>& view, const Digest& token, const std::string& resource, const Policy& policy, Instant now) {
    Poco::JSON::Object document(Poco::JSON_PRESERVE_KEY_ORDER);
    const auto judged = judge_access(view, resource, now);
    document.set("active", static_cast<bool>(judged));
    if (!judged) return json_string(document);
    const auto& session = view->session;
    document.set("scope", session.scope.text());
    document.set("client_id", session.client_id.text);
    if (const auto name = user_name(*view); !name.empty()) document.set("username", name);
    document.set("token_type", "Bearer");
    document.set("exp", epoch(session.token_ends()));
    document.set("iat", epoch(session.created_at));
    document.set("sub", subject_of(session));
    document.set("aud", session.resource);
    document.set("iss", policy.issuer);
    document.set("jti", sha256("jti:" + token.hex).hex.substr(0, token_id_length));
    document.set("identity_kind", std::string(name_of(session.identity.kind)));
    return json_string(document);
}

} // namespace consentgate::core
