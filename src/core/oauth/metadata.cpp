#include "consentgate/core/oauth/metadata.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/grant.h"

namespace consentgate::core {
namespace {

Json grants(const Policy& policy) {
    if (!policy.refreshes()) return json_array({"authorization_code", token_exchange_grant});
    return json_array({"authorization_code", "refresh_token", token_exchange_grant});
}

Json urls_of(const std::vector<GuardedResource>& resources) {
    std::vector<std::string> urls;
    for (const auto& resource : resources) urls.push_back(resource.url);
    return json_array(urls);
}

} // namespace

std::string authorization_server_metadata(const Policy& policy) {
    const auto origin = policy.origin();
    JsonObject document;
    document.set("issuer", policy.issuer);
    document.set("authorization_endpoint", origin + endpoint::authorize);
    document.set("token_endpoint", origin + endpoint::token);
    document.set("jwks_uri", origin + endpoint::key_set);
    if (policy.registration_enabled)
        document.set("registration_endpoint", origin + endpoint::register_client);
    document.set("scopes_supported", json_array(policy.catalogue().names()));
    document.set("response_types_supported", json_array({"code"}));
    document.set("response_modes_supported", json_array({"query"}));
    document.set("grant_types_supported", grants(policy));
    const std::vector<std::string> methods{
        "none", "client_secret_basic", "client_secret_post", "private_key_jwt"};
    const std::vector<std::string> algorithms{"RS256", "ES256"};
    document.set("token_endpoint_auth_methods_supported", json_array(methods));
    document.set("token_endpoint_auth_signing_alg_values_supported", json_array(algorithms));
    document.set("revocation_endpoint", origin + endpoint::revoke);
    document.set("revocation_endpoint_auth_methods_supported", json_array(methods));
    document.set("revocation_endpoint_auth_signing_alg_values_supported", json_array(algorithms));
    document.set("introspection_endpoint", origin + endpoint::introspect);
    document.set(
        "introspection_endpoint_auth_methods_supported",
        json_array({"client_secret_basic", "client_secret_post"}));
    document.set("code_challenge_methods_supported", json_array({"S256"}));
    document.set("authorization_response_iss_parameter_supported", true);
    if (policy.documents.accepted) document.set("client_id_metadata_document_supported", true);
    if (policy.publish_resources) document.set("protected_resources", urls_of(policy.resources));
    return json_string(document);
}

std::string protected_resource_metadata(const Policy& policy, const GuardedResource& resource) {
    JsonObject document;
    document.set("resource", resource.url);
    document.set("authorization_servers", json_array({policy.issuer}));
    document.set("scopes_supported", json_array(policy.scopes_of(resource).names()));
    document.set("bearer_methods_supported", json_array({"header"}));
    document.set("resource_name", shown_name(resource));
    const auto& [name, documentation, terms_of_use, tos] = resource.description;
    if (!documentation.empty()) document.set("resource_documentation", documentation);
    if (!terms_of_use.empty()) document.set("resource_policy_uri", terms_of_use);
    if (!tos.empty()) document.set("resource_tos_uri", tos);
    return json_string(document);
}

std::string resource_metadata_url(const std::string& resource) {
    const auto rest = split_uri(resource).value_or(UriParts{}).rest;
    return origin_of(resource) + endpoint::resource_metadata +
           (rest == "/" ? std::string() : std::string(rest));
}

} // namespace consentgate::core
