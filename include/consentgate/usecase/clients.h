// Registering clients. spec: RFC 7591
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>
#include <functional>
#include <string_view>

namespace consentgate::usecase {

struct Registered {
    core::Client client;
    std::optional<core::Secret> secret; // shown once, stored never; absent for a client without one
};

// A client registers itself.
// in:   caller  who asks, as core::caller_of says
// fail: not_found when registration is switched off; invalid_redirect_uri, invalid_client_metadata;
//       too_many_requests: this caller has registered too many that nobody used
core::Result<Registered> register_client(
    Dependencies& deps, std::string_view body, const std::string& caller, core::Instant now);

struct NewClient {
    std::string name;
    std::vector<std::string> redirect_uris;
    core::ClientAuth auth = core::ClientAuth::none;
    std::string jwks{};     // JSON, for private_key_jwt
    std::string jwks_uri{}; // or where they stand
    std::string scope{};    // what it may be granted at most; empty: everything
};

// An operator registers a client, by the same rules.
// fail: invalid_redirect_uri, invalid_client_metadata
core::Result<Registered> add_client(Dependencies& deps, const NewClient& asked, core::Instant now);

// Counts the callers that registered clients which nobody has used yet.
struct Callers {
    std::size_t callers = 0, clients = 0;
    bool any_public = false; // one of the addresses is of the Internet
};
Callers list_callers(Dependencies& deps);

std::vector<core::Client> list_clients(Dependencies& deps); // newest first

// fail: not_found
core::Result<core::Client> find_client(Dependencies& deps, const core::ClientId& id);

// The client is refused from now on, and its sessions end at their next request.
// fail: not_found: there is no such client, or it is disabled already
core::Checked disable_client(Dependencies& deps, const core::ClientId& id);
// Undoes it: sessions that have not ended otherwise are good again.
// fail: not_found: there is no such client, or it is not disabled
core::Checked enable_client(Dependencies& deps, const core::ClientId& id);

// Deletes a client, after its sessions and its sign-ins that are under way. A client that a
// document describes comes back with its next request; one that is to stay away is disabled.
// in:   after_batch  gets how many sessions have ended so far
// out:  how many sessions ended
// fail: not_found
core::Result<std::size_t> remove_client(
    Dependencies& deps, const core::ClientId& id, core::Instant now,
    const std::function<void(std::size_t)>& after_batch = [](std::size_t) {});

} // namespace consentgate::usecase
