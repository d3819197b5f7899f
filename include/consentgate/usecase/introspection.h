// Resource servers, and what they are told about tokens. law: RFC 7662
#pragma once

#include "consentgate/core/introspection.h"
#include "consentgate/usecase/client_auth.h"

namespace consentgate::usecase {

// out:  the answer's JSON: an active token of the asking server's resource, or that there is none
// fail: invalid_client, invalid_request
core::Result<std::string> introspect_token(World& world, const Sender& sender, core::Instant now);

struct NewResourceServer {
    core::ResourceServer server;
    core::Secret clear; // shown once, stored never
};

// in:   services  whose tokens it may fetch for its callers
// fail: invalid_target when it is none of the configured resources, or a service is not there
core::Result<NewResourceServer> add_resource_server(store::Store& store, sys::Random& random, const core::Policy& policy, const std::string& resource,
                                                    std::vector<std::string> services, core::Instant now);

} // namespace consentgate::usecase
