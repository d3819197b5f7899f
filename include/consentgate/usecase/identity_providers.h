// Identity providers, for the operator: what one publishes, whether our client there is good, and
// what its removal ends. No request of a person comes here.
// spec: OpenID Connect Discovery 1.0; docs/requirements_signin.md SI2, SI8, SI10
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/provider_metadata.h"
#include "consentgate/usecase/dependencies.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

struct PublishedProvider {
    core::ProviderMetadata metadata;
    std::string jwks; // as it was sent
    std::optional<core::Instant> jwks_expires_at;
    std::size_t keys = 0, skipped_keys = 0; // that we can use, and others
    std::optional<core::Span> clock_ahead;  // of ours; absent: it names no time
};

// Asks the provider for its metadata and its keys.
// in:   idp  with its issuer
// fail: the message is for the operator, and names the address that was asked
core::Result<PublishedProvider> ask_provider(
    Dependencies& deps, const core::IdentityProvider& idp, core::Instant now);

// Takes over what the provider publishes: endpoints, algorithms, keys.
void apply_published(core::IdentityProvider& idp, const PublishedProvider& published);

// The differences between what the provider publishes and what is stored, for the operator.
std::vector<std::string> provider_differences(
    const core::IdentityProvider& idp, const PublishedProvider& published);

enum class ClientTrial {
    good,    // the provider refused the code, and took our client
    refused, // it does not take our client
    unknown, // its answer says neither
};
// Sends a made-up code to the token endpoint.
// out: and what the provider answered, for the operator
std::pair<ClientTrial, std::string> try_idp_client(
    Dependencies& deps, const core::IdentityProvider& idp, core::Instant now);

// Asks the authorization endpoint, without a person, to send a browser back to us.
// out: refused: it does not, most likely because it does not know our redirect address; and what
//      it answered, for the operator
std::pair<ClientTrial, std::string> try_idp_redirect(
    Dependencies& deps, const core::IdentityProvider& idp);

// Encrypts our client secret into the row.
void seal_client_secret(
    Dependencies& deps, core::IdentityProvider& idp, const core::Secret& secret);

// With two ways to prove who somebody is, one human would be two: an active provider, and a web
// server that names people, exclude each other.
// fail: throws std::runtime_error in words for the operator
void require_one_proof(Dependencies& deps);

std::vector<core::IdentityProvider> list_idps(Dependencies& deps); // by id
// fail: not_found
core::Result<core::IdentityProvider> find_idp(Dependencies& deps, const core::IdpId& id);
// fail: the message says which row is in the way
core::Checked add_idp(Dependencies& deps, const core::IdentityProvider& idp);
// fail: store_unavailable: it was changed or removed since it was read; or another row has its
//       issuer
core::Checked update_idp(Dependencies& deps, const core::IdentityProvider& idp);

// Ends the sessions, the sign-ins and the connected accounts of all its people, asks the services
// to revoke, and deletes the people and the row. It can be stopped between two people, and begun
// again.
// in:   idp  disabled before, so that nobody comes meanwhile
//       after_person  gets how many people are gone so far
// out:  how many people
// fail: store_unavailable: somebody is left
core::Result<std::size_t> remove_idp(
    Dependencies& deps, const core::IdpId& id, core::Instant now,
    const std::function<void(std::size_t)>& after_person);

} // namespace consentgate::usecase
