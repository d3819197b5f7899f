#include "consentgate/usecase/clients.h"

#include "not_found.h"

#include "consentgate/core/base/json.h"

namespace consentgate::usecase {
namespace {

// Never looks like a URL, so it cannot be taken for that of a metadata document (R5).
core::ClientId mint_client_id(Dependencies& deps) {
    return core::ClientId("cgc_" + deps.random.id(16));
}

Registered put_client(Dependencies& deps, core::Client client) {
    Registered made{std::move(client), std::nullopt};
    if (made.client.has_secret()) {
        made.secret = deps.random.secret();
        made.client.secret = core::sha256(*made.secret);
    }
    deps.store.clients.put(made.client);
    return made;
}

} // namespace

core::Result<Registered> register_client(
    Dependencies& deps, std::string_view body, core::Instant now) {
    if (!deps.policy.registration_enabled)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"registration is switched off here"});
    auto client = core::validate_registration(body, deps.policy, mint_client_id(deps), now);
    if (!client) return client.error();
    return put_client(deps, std::move(*client));
}

core::Result<Registered> add_client(Dependencies& deps, const NewClient& asked, core::Instant now) {
    core::JsonObject document;
    document.set("client_name", asked.name)
        .set("redirect_uris", core::json_array(asked.redirect_uris))
        .set("grant_types", core::json_array({"authorization_code", "refresh_token"}));
    document.set("token_endpoint_auth_method", std::string(core::name_of(asked.auth)));
    if (!asked.jwks_uri.empty())
        document.set("jwks_uri", asked.jwks_uri);
    else if (asked.auth == core::ClientAuth::private_key_jwt) {
        auto jwks = core::parse_json_object(asked.jwks);
        if (!jwks)
            return core::make_error(
                core::ErrorCode::invalid_client_metadata,
                core::PublicMessage{"the keys are not a JSON object"}, core::LogDetail{}, "jwks");
        document.set("jwks", std::move(*jwks));
    }
    auto client = core::validate_registration(
        core::json_string(document), deps.policy, mint_client_id(deps), now);
    if (!client) return client.error();
    client->by_operator = true;
    return put_client(deps, std::move(*client));
}

std::vector<core::Client> list_clients(Dependencies& deps) { return deps.store.clients.list(); }

core::Result<core::Client> find_client(Dependencies& deps, const core::ClientId& id) {
    auto client = deps.store.clients.find(id);
    if (!client) return not_found("there is no client '" + id.text + "'");
    return std::move(*client);
}

core::Checked disable_client(Dependencies& deps, const core::ClientId& id) {
    if (deps.store.clients.disable(id) == store::Applied::no)
        return not_found("there is no active client '" + id.text + "'");
    return core::Nothing{};
}

} // namespace consentgate::usecase
