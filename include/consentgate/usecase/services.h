// Upstream services: discovering one, registering as its client, comparing it with what is stored.
// The rules for its documents are in core/upstream/service_discovery.h.
#pragma once

#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/usecase/dependencies.h"

#include <string>
#include <vector>

namespace consentgate::usecase {

struct Discovery {
    std::string resource; // as its document says; empty: there is no document
    std::string scope;    // to ask for; empty: none
    core::ServerDocument server;
    std::vector<std::string> notes; // for the operator: each request and its result; no secrets
};

// Requests the service's own URL, then the documents that it names.
// fail: the message is for the operator, and names each address with its result
core::Result<Discovery> discover_service(sys::HttpClient& web, const std::string& url);

// Fills the service's client_id, auth and secret by registering there (RFC 7591).
// in:   service  with its endpoints
// fail: the message is for the operator
core::Checked register_dynamically(
    Dependencies& deps, core::Service& service, std::vector<std::string>& notes);

// Encrypts our client secret into the service; an empty one removes it.
void seal_client_secret(Dependencies& deps, core::Service& service, const core::Secret& secret);

// The service no longer knows the client that it registered for us: registers anew and saves the
// result. Workers that notice it at the same time all end with the client that the first one saved.
// in:  stale  as it was read when the service refused it
// fail: the message is for the log; the stored service is unchanged
core::Result<core::Service> re_register(Dependencies& deps, const core::Service& stale);

// The differences between what the service publishes and what is stored. fail: as discover_service
core::Result<std::vector<std::string>> test_service(
    sys::HttpClient& web, const core::Service& service);

// For the operator.
std::vector<core::Service> list_services(Dependencies& deps); // by id
// fail: not_found
core::Result<core::Service> find_service(Dependencies& deps, const core::ServiceId& id);

// in:   service  complete, with our client there
void add_service(Dependencies& deps, const core::Service& service);

// Disabled: no account can be linked there and none of its tokens is handed out; linked accounts
// stay.
// fail: store_unavailable: it was changed or removed since it was read
core::Checked set_service_active(Dependencies& deps, core::Service service, bool active);

// All of its linked accounts, those included that ended and are not revoked there yet.
std::size_t count_linked_accounts(Dependencies& deps, const core::ServiceId& id);

// in:   unrevoked  whether linked accounts that the service was not asked to revoke may go too
// fail: store_unavailable: it was removed meanwhile, or linked accounts are left
enum class Unrevoked { keep, remove };
core::Checked remove_service(Dependencies& deps, const core::ServiceId& id, Unrevoked unrevoked);

} // namespace consentgate::usecase
