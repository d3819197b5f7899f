#include "consentgate/usecase/clients.h"

#include "consentgate/core/json.h"

#include <Poco/JSON/Array.h>

namespace consentgate::usecase {
namespace {

// Never looks like a URL, so it cannot be taken for a metadata document's (requirement R5).
core::ClientId mint_client_id(World& world) { return core::ClientId("cgc_" + world.random.id(16)); }

} // namespace

core::Result<core::Client> register_client(World& world, std::string_view body, core::Instant now) {
    if (!world.policy.registration_enabled) return core::refuse(core::Fault::not_found, core::Say{"registration is switched off here"});
    auto client = core::judge_registration(body, world.policy, mint_client_id(world), now);
    if (client) world.store.put_client(*client);
    return client;
}

core::Result<core::Client> add_client(World& world, const std::string& name, const std::vector<std::string>& redirect_uris, core::Instant now) {
    Poco::JSON::Array uris;
    for (const auto& uri : redirect_uris) uris.add(uri);
    Poco::JSON::Object document;
    document.set("client_name", name);
    document.set("redirect_uris", uris);
    Poco::JSON::Array grants;
    for (const auto* grant : {"authorization_code", "refresh_token"}) grants.add(std::string(grant));
    document.set("grant_types", grants);
    auto client = core::judge_registration(core::json_string(document), world.policy, mint_client_id(world), now);
    if (!client) return client;
    client->by_operator = true;
    world.store.put_client(*client);
    return client;
}

} // namespace consentgate::usecase
