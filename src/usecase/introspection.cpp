#include "consentgate/usecase/introspection.h"

namespace consentgate::usecase {

core::Result<std::string> introspect_token(World& world, const Sender& sender, core::Instant now) {
    if (auto repeated = sender.form.refuse_repeated(); !repeated) return repeated.error();
    const auto credentials = core::read_client_credentials(sender.form, sender.authorization);
    if (!credentials) return credentials.error();
    const auto server = world.store.find_resource_server(core::ResourceServerId(credentials->id));
    if (auto judged = core::judge_resource_server(*credentials, server); !judged) return judged.error();
    const auto token = sender.form.get("token");
    if (!token) return core::refuse(core::Fault::invalid_request, core::Say{"token is missing"}, core::Why{}, "token");
    const auto hash = core::sha256(*token);
    return core::introspection_document(world.store.find_session(hash), hash, server->resource, world.policy, now);
}

core::Result<NewResourceServer> add_resource_server(store::Store& store, sys::Random& random, const core::Policy& policy, const std::string& resource,
                                                    std::vector<std::string> services, core::Instant now) {
    const auto known = policy.known_resource(resource);
    if (!known) {
        return core::refuse(core::Fault::invalid_target, core::Say{"it is not one of the `resources` of the configuration"}, core::Why{}, "resource");
    }
    for (const auto& service : services) {
        if (!store.find_service(core::ServiceId(service))) {
            return core::refuse(core::Fault::invalid_target, core::Say{"there is no service '" + service + "'; see consentgate-admin service list"});
        }
    }
    NewResourceServer made{{core::ResourceServerId("cgrs_" + random.id(16)), *known, {}, true, now, std::move(services)}, random.secret()};
    made.server.secret = core::sha256(made.clear);
    store.put_resource_server(made.server);
    return made;
}

} // namespace consentgate::usecase
