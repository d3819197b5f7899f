#include "consentgate/core/oauth/introspection.h"

#include "consentgate/core/base/json.h"

namespace consentgate::core {
namespace {

constexpr std::size_t token_id_length = 32; // hexadecimal digits: 128 bits

void describe(FlatJson& document, const PersonFacts& person) {
    document.text("name", person.name).text("idp", person.idp.text);
    if (!person.email.empty()) document.text("email", person.email).flag("email_verified", true);
    if (person.groups)
        document.texts("groups", *person.groups);
    else
        document.flag("groups_omitted", true);
}

} // namespace

Checked check_resource_server(const ClientCredentials& credentials, const ResourceServer* server) {
    if (!proves_secret(credentials, server == nullptr ? Digest{} : server->secret))
        return client_not_authenticated("resource server unknown, or its secret is wrong");
    if (!server->active) return client_not_authenticated("resource server disabled");
    return Nothing{};
}

// The value of a person's identity is the provider's issuer and subject, which no name may show.
std::string user_name(const SessionView& view) {
    const auto& session = view.session;
    if (session.identity.is_person())
        return view.standing.person ? view.standing.person->name : subject_of(session);
    return view.virtual_key ? view.virtual_key->name : session.identity.value;
}

std::string subject_of(const Session& session) { return session.identity.owner(session.id).text(); }

std::string subject_of(const Flow& flow) {
    const auto& identity = flow.identity;
    return (identity.is_lasting() ? identity.owner(SessionId()) : Owner::of(flow.id)).text();
}

std::string logged_subject(const Session& session) {
    const auto owner = session.identity.owner(session.id);
    return session.identity.is_person() ? owner.short_text() : owner.text();
}

std::string logged_subject(const Flow& flow) {
    return flow.identity.is_person() ? flow.identity.owner(SessionId()).short_text()
                                     : subject_of(flow);
}

std::string logged_owner(const Owner& owner, const Policy& policy) {
    const bool person =
        owner.kind() == OwnerKind::verified_user && policy.verified_user == VerifiedUser::off;
    return person ? owner.short_text() : owner.text();
}

std::string introspection_response(
    const SessionView* view, const Digest& token, const std::string& resource, const Policy& policy,
    Instant now, const PersonFacts* person) {
    const auto valid = check_access(view, resource, policy, now);
    FlatJson document;
    document.flag("active", static_cast<bool>(valid));
    if (!valid) return document.str();
    const auto& session = view->session;
    document.text("scope", session.scope.text()).text("client_id", session.client_id.text);
    if (const auto name = user_name(*view); !name.empty()) document.text("username", name);
    document.text("token_type", "Bearer")
        .number("exp", epoch(session.token_ends()))
        .number("iat", epoch(session.created_at))
        .text("sub", subject_of(session))
        .text("aud", session.resource)
        .text("iss", policy.issuer)
        .text("jti", sha256("jti:" + token.hex).hex.substr(0, token_id_length))
        .text("identity_kind", std::string(name_of(session.identity.kind)));
    if (person) describe(document, *person);
    if (person && view->auth_time) document.number("auth_time", epoch(*view->auth_time));
    return document.str();
}

} // namespace consentgate::core
