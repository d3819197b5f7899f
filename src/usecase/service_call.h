// Requests to a service's own endpoints, as its client. Private to this module.
#pragma once

#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/dependencies.h"

#include <string>
#include <vector>

namespace consentgate::usecase {

// Our secret at the service; empty when it gave us none.
// fail: server_error: the key file cannot decrypt it
core::Result<core::Secret> client_secret_of(Dependencies& deps, const core::Service& service);

// Where its endpoints may be: anywhere when the operator typed them, and no nearer to this machine
// than the operator's URL when the service named them.
sys::AddressPolicy addresses_of(const core::Service& service);

// The service with the registration of ours that a token or a person on the way was given to.
// fail: server_error: it is not kept any more
core::Result<core::Service> find_registered(
    Dependencies& deps, const core::Service& service, const core::RegistrationId& registration);

// A form that is sent with our client authentication, where it is in a header.
sys::HttpRequest form_post(sys::PlaceKind purpose, core::ServiceRequest request);

// in: sent  the request's secrets, which no reason may repeat
core::ServiceReply reply_of(sys::HttpResponse response, std::vector<core::Secret> sent = {});

// Never throws; a service that does not answer is one of the replies.
core::ServiceReply call_service(
    Dependencies& deps, const core::Service& service, sys::PlaceKind purpose,
    core::ServiceRequest request);

// One request with a key where keys are tried: a server of MCP is greeted, another address read.
// Never throws; a service that does not answer is one of the replies.
core::ServiceReply try_key(
    Dependencies& deps, const core::Service& service, const core::Secret& key);

std::string seal(
    Dependencies& deps, const std::string& place,
    const core::Secret& clear); // under the newest key

core::Error does_not_open(const std::string& what);

// service_unavailable: as many workers as allowed wait for others; nothing was asked or changed.
core::Error no_place();

// service_unavailable. in: reason  for the log; pause  after which it may come again
core::Error unavailable(const std::string& reason, core::Span pause);

} // namespace consentgate::usecase
