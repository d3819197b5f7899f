// Making upstream services known here: finding out about one, becoming its client, looking again
// whether that still holds. What a service says is judged by core/service_discovery.
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
    std::vector<std::string> notes; // for the operator: what was asked, what came, what is missing;
                                    // plain words, no secrets
};

// Asks the service's own URL, then the documents it leads to.
// fail: say is for the operator, and names each address that was tried and what came of it
core::Result<Discovery> discover_service(sys::HttpClient& web, const std::string& url);

// Fills the service's client_id, auth and secret by registering there (RFC 7591). in: service  with
// its endpoints
// fail: say is for the operator
core::Checked register_dynamically(
    Dependencies& deps, core::Service& service, std::vector<std::string>& notes);

// Seals a client's secret into the service; an empty one takes it away.
void seal_client_secret(Dependencies& deps, core::Service& service, const core::Secret& secret);

// The service no longer knows the client it once registered for us: registers anew and writes it.
// Workers that find this out at once end with the same client: who comes late is given what the
// first one wrote.
// in:  stale  as it was read when the service refused it
// fail: say is for the log; the service is then as it was
core::Result<core::Service> re_register(Dependencies& deps, const core::Service& stale);

// What differs now from what is kept; empty: nothing. fail: as discover_service
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
