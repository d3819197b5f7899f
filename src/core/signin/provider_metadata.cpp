#include "consentgate/core/signin/provider_metadata.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/public_key.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/upstream/published_document.h"
#include "consentgate/core/upstream/service_discovery.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr const char* openid_path = "/.well-known/openid-configuration";
constexpr std::string_view organisations = "organizations"; // Microsoft's spelling

Error unusable(const std::string& message) {
    return make_error(ErrorCode::server_error, PublicMessage{message}, LogDetail{message});
}

std::string without_tenant(std::string issuer) {
    const auto at = issuer.find(tenant_place);
    return at == std::string::npos ? issuer
                                   : issuer.replace(at, tenant_place.size(), organisations);
}

Checked read_needed(const JsonObject& document, const std::string& name, std::string& place) {
    const auto url = document.text(name);
    if (!url) return unusable("the document names no " + name);
    if (const auto valid = check_endpoint(*url); !valid)
        return unusable(name + " cannot be used: " + valid.error().message);
    place = *url;
    return Nothing{};
}

// RS256 belongs to OpenID Connect, whoever forgets the list. spec: OpenID Connect Core 15.1
Checked read_algorithms(const JsonObject& document, ProviderMetadata& metadata) {
    auto announced = read_list(document, "id_token_signing_alg_values_supported");
    if (announced.empty()) announced = {"RS256"};
    for (const auto& ours : signature_algorithms()) {
        if (holds(announced, ours)) metadata.signing_algorithms.push_back(ours);
    }
    if (!metadata.signing_algorithms.empty()) return Nothing{};
    if (std::all_of(announced.begin(), announced.end(), [](const std::string& algorithm) {
            return algorithm.starts_with("HS");
        }))
        return unusable("its ID tokens are signed with the client secret: choose a signing key "
                        "there");
    return unusable(
        "it signs ID tokens in no way that consentgate verifies (" +
        join(signature_algorithms(), ", ") + ")");
}

Checked read_auth(const JsonObject& document, ProviderMetadata& metadata) {
    auto announced = read_list(document, "token_endpoint_auth_methods_supported");
    if (announced.empty()) announced = {"client_secret_basic"};
    for (const auto ours :
         {ClientAuth::client_secret_basic, ClientAuth::client_secret_post,
          ClientAuth::private_key_jwt, ClientAuth::none}) {
        if (holds(announced, name_of(ours))) metadata.auth_methods.push_back(ours);
    }
    if (metadata.auth_methods.empty())
        return unusable("it takes no client authentication that consentgate has "
                        "(client_secret_basic, client_secret_post)");
    return Nothing{};
}

} // namespace

Checked check_provider_issuer(const std::string& issuer) {
    if (const auto valid = check_endpoint(without_tenant(issuer)); !valid)
        return unusable("the issuer cannot be used: " + valid.error().message);
    if (issuer.find('?') != std::string::npos) return unusable("an issuer has no query");
    return Nothing{};
}

std::string provider_metadata_url(const std::string& issuer) {
    auto url = without_tenant(issuer);
    if (url.ends_with('/')) url.pop_back();
    return url + openid_path;
}

Result<ProviderMetadata> read_provider_metadata(std::string_view body, const std::string& issuer) {
    const auto document = parse_json_object(without_byte_order_mark(body));
    if (!document) return unusable("the document is not a JSON object");
    ProviderMetadata metadata;
    metadata.issuer = document->text("issuer").value_or("");
    if (metadata.issuer != issuer)
        return unusable(
            "the document is of the issuer " + display_text(metadata.issuer, 200) + ", not of " +
            issuer + ": give it as the provider writes it, to the character");
    auto read = read_needed(*document, "authorization_endpoint", metadata.authorization_endpoint)
                    .and_then([&] {
                        return read_needed(*document, "token_endpoint", metadata.token_endpoint);
                    })
                    .and_then([&] { return read_needed(*document, "jwks_uri", metadata.jwks_uri); })
                    .and_then([&] { return check_code_grant(*document, "the provider"); })
                    .and_then([&] { return read_algorithms(*document, metadata); })
                    .and_then([&] { return read_auth(*document, metadata); });
    if (!read) return std::move(read).error();
    metadata.userinfo_endpoint = read_endpoint(*document, "userinfo_endpoint");
    metadata.end_session_endpoint = read_endpoint(*document, "end_session_endpoint");
    metadata.scopes = read_list(*document, "scopes_supported");
    metadata.prompts = read_list(*document, "prompt_values_supported");
    metadata.acr_values = read_list(*document, "acr_values_supported");
    metadata.sends_iss =
        document->flag("authorization_response_iss_parameter_supported").value_or(false);
    metadata.announces_s256 =
        holds(read_list(*document, "code_challenge_methods_supported"), "S256");
    metadata.sends_logout_tokens = document->flag("backchannel_logout_supported").value_or(false);
    return metadata;
}

} // namespace consentgate::core
