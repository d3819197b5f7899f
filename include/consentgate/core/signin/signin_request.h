// Where a person is sent to sign in, and the answer that comes back with their browser.
// spec: OpenID Connect Core 3.1.2; docs/requirements_signin.md SI20, SI21, SI22
#pragma once

#include "consentgate/core/oauth/policy.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/person_claims.h"
#include "consentgate/core/upstream/upstream.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

struct IdentityProvider;

// Refuses an answer that belongs to nothing under way, wherever that turns out.
// in: reason  for the log
Error invalid_signin(std::string reason);

// The provider is asked this about the person's proof.
struct SigninQuestion {
    std::string prompt{}; // empty: the provider may answer by itself
    std::optional<Span> max_age{};
    std::vector<std::string> acr{}; // one of them; empty: any
};
// in: wanted   by the app, as far as it may say
//     another  the person wants another account than the one that the provider would name by itself
SigninQuestion signin_question(
    const IdentityProvider& idp, const WantedProof& wanted, bool another);

// The values that tie the answer to the question.
struct SigninSecrets {
    Secret state, nonce, verifier;
};
// The address at the provider, with everything in it. It carries the state, which is a secret of
// this browser.
Secret signin_authorize_url(
    const IdentityProvider& idp, const SigninQuestion& question, const SigninSecrets& secrets,
    const Policy& policy);

// Each parameter that counts comes at most once, and the state is one of ours in shape.
// fail: invalid_signin
Result<Callback> read_signin_answer(const CallbackParameters& sent);

// The answer belongs to what was begun: the same browser, at the provider's own address, in time.
// fail: browser_mismatch, invalid_signin
Checked check_signin_answer(
    const SigninState& state, const IdpId& at, const std::optional<Digest>& browser, Instant now);

// The provider is as it was when the person was sent there, and the answer is from it.
// fail: invalid_signin
// spec: RFC 9207 section 2.4; docs/requirements_signin.md SI14
Checked check_signin_provider(
    const Callback& answer, const SigninState& state, const std::optional<IdentityProvider>& idp);

// "AADSTS7000215", the number of Microsoft's error in its description; empty: there is none. The
// rest of a description names people.
// spec: docs/requirements_signin.md SI16
std::string microsoft_number(std::string_view description);

// The provider's word in the address to which it sends a browser back; empty: it names no error.
std::string sent_error(std::string_view location);
// It took our question, and nobody was there to answer.
// spec: OpenID Connect Core 3.1.2.6
bool wants_a_person(std::string_view error);

// The request that redeems the answer's code.
ServiceRequest signin_code_request(
    const IdentityProvider& idp, const Secret& client_secret, const Secret& code,
    const Secret& verifier, const Policy& policy);

// The person as the provider says now.
Person person_from(
    const ProvedClaims& proved, const PersonClaims& claims, const IdpId& idp, Instant now);

// The provider has vouched for the person not too long ago. Without news from it, somebody who left
// the organisation could else refresh for as long as a session lives.
// fail: invalid_grant
// spec: docs/requirements_signin.md SI57
Checked check_vouched(const Person& person, const Policy& policy, Instant now);

// The ways in which a sign-in ends.
enum class SigninOutcome {
    signed_in,
    late,        // signed in, but what it was for is over
    denied,      // the person said no there, or the provider did
    failed,      // the answer is not one that we believe
    unavailable, // the provider does not answer
    refused,     // we do not let this person in
    tried,       // on trial, whatever came of it
};
std::string_view name_of(SigninOutcome outcome);

} // namespace consentgate::core
