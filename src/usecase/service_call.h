// Requests to a service's own endpoints, as its client. Private to this room.
#pragma once

#include "consentgate/core/upstream.h"
#include "consentgate/usecase/world.h"

#include <string>

namespace consentgate::usecase {

// Our secret at the service; empty when it gave us none. fail: server_error: it does not open with the key file
core::Result<core::Secret> client_secret_of(World& world, const core::Service& service);

// Never throws; a service that does not answer is one of the replies.
core::ServiceReply call_service(World& world, core::ServiceRequest request);

std::string seal(World& world, const std::string& place, const core::Secret& clear); // under the newest key

// The service has forgotten us: becomes its client again, where it lets us. The log says how that went.
void register_anew(World& world, const core::Service& service);

core::Error does_not_open(const std::string& what);

} // namespace consentgate::usecase
