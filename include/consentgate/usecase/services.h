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
// in:   trusted  an issuer that the documents may name besides the one that is asked, by the
//                operator's word; it is asked last. Empty: none
core::Result<Discovery> discover_service(
    sys::HttpClient& web, const std::string& url, const std::string& trusted = {});

// Fills the service's client_id, auth and secret, and when that ends, by registering there (RFC
// 7591).
// in:   service  with its endpoints and callback
// fail: the message is for the operator
core::Checked register_dynamically(
    Dependencies& deps, core::Service& service, std::vector<std::string>& notes);

// Makes the service send people back to another address of ours: registers anew for it, changes to
// another client document, or trusts the operator to have changed a given client there. A former
// registration is kept for the tokens that were given to it.
// in:   service  as it was read, but for what the operator changed
// out:  as it is saved
// fail: the message is for the operator
core::Result<core::Service> change_callback(
    Dependencies& deps, core::Service service, core::CallbackAddress callback,
    std::vector<std::string>& notes);

// Takes over a registration that the service gave us, or changed.
void keep_registration(
    Dependencies& deps, core::Service& service, const core::Registered& registered);

// Saves a service whose client there is another one: the former registration is kept for the tokens
// that were given to it.
// in:   service  with a new client, and the version that was read; before  as it was read
// out:  as it is saved
// fail: store_unavailable: it was changed or removed since it was read
core::Result<core::Service> change_client(
    Dependencies& deps, core::Service service, const core::Service& before);

// Encrypts our client secret into the service; an empty one removes it.
void seal_client_secret(Dependencies& deps, core::Service& service, const core::Secret& secret);

// The service no longer knows the client that it registered for us: registers anew and saves the
// result. The new registration has a redirect address of the service's own. Workers that notice it
// at the same time all end with the client that the first one saved.
// in:  stale  as it was read when the service refused it
// fail: the message is for the log; the stored service is unchanged
core::Result<core::Service> re_register(Dependencies& deps, const core::Service& stale);

// The differences between what the service publishes and what is stored. fail: as discover_service
core::Result<std::vector<std::string>> test_service(
    sys::HttpClient& web, const core::Service& service);

// Asks a service that publishes nothing: its authorization endpoint, and its token endpoint with a
// code that was made up, which it must refuse as one of a client that it knows.
// out:  what the token endpoint said
// fail: the message is for the operator
core::Result<std::string> try_service_client(Dependencies& deps, const core::Service& service);

// Whether a trial tells a key from a made-up one: the service must refuse a made-up key.
// in:   service  whose token_endpoint is where keys are tried
// fail: the message is for the operator
core::Checked check_key_trial(Dependencies& deps, const core::Service& service);

// For the operator.
std::vector<core::Service> list_services(Dependencies& deps); // by id
// fail: not_found
core::Result<core::Service> find_service(Dependencies& deps, const core::ServiceId& id);

// in:   service  complete, with our client there
void add_service(Dependencies& deps, const core::Service& service);

// core::check_origins against all services there are.
core::Checked check_service_origins(Dependencies& deps, const core::Service& service);

// fail: store_unavailable: it was changed or removed since it was read
core::Checked update_service(Dependencies& deps, const core::Service& service);

// Disabled: no account can be linked there and none of its tokens is handed out; linked accounts
// stay.
// fail: store_unavailable: it was changed or removed since it was read
core::Checked set_service_active(Dependencies& deps, core::Service service, bool active);

// How each service does that has linked accounts, by id.
std::vector<core::ServiceHealth> service_health(Dependencies& deps, core::Instant now);
// The same for a monitor; empty while the database does not answer.
std::vector<sys::Known> known_of_services(Dependencies& deps, core::Instant now);

// All of its linked accounts, those included that ended and are not revoked there yet.
std::size_t count_linked_accounts(Dependencies& deps, const core::ServiceId& id);

// in:   unrevoked  whether linked accounts that the service was not asked to revoke may go too
// fail: store_unavailable: it was removed meanwhile, or linked accounts are left
enum class Unrevoked { keep, remove };
core::Checked remove_service(Dependencies& deps, const core::ServiceId& id, Unrevoked unrevoked);

} // namespace consentgate::usecase
