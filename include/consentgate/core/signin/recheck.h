// Asking a provider about a person who is not there: whether they still may, and who they are now.
// spec: OpenID Connect Core 12; docs/requirements_signin.md SI58
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/core/signin/person_claims.h"
#include "consentgate/core/signin/provider_keys.h"
#include "consentgate/core/upstream/upstream.h"

#include <optional>
#include <string>

namespace consentgate::core {

// The operator wants to know of the person, and the last good word is too old.
bool recheck_is_due(const IdentityProvider& idp, const Person& person, Instant now);

// A provider that does not answer is waited for: until a day after the last good word, and for an
// hour at least.
bool may_go_on_unchecked(const IdentityProvider& idp, const Person& person, Instant now);

struct RenewedTokens {
    Secret access_token;
    std::optional<Secret> id_token{};
    std::optional<Secret> refresh_token{}; // absent: the old one stays
};

ServiceRequest recheck_request(
    const IdentityProvider& idp, const Secret& client_secret, const Secret& refresh_token);

// fail: invalid_grant: the provider's word that this is over. service_unavailable: anything else
//       that is no answer, as a refusal of our own client is; the reason is for the log
Result<RenewedTokens> read_renewed_tokens(const ServiceReply& reply);

// The ID token is of the same person. fail: service_unavailable: it is not believed
Result<ProvedClaims> validate_renewed_id_token(
    const RenewedTokens& tokens, const IdentityProvider& idp, const ProviderKeys& keys,
    const Person& person, Instant now);
// In place of the claims of an ID token, which need not come: whose answer it is, and no more.
ProvedClaims claims_without_id_token(const Person& person, Instant now);

// The person as the provider says now. An answer without groups keeps the old ones, because many
// leave them out here.
Person rechecked_person(
    const Person& before, const ProvedClaims& proved, const PersonClaims& claims, Instant now);

} // namespace consentgate::core
