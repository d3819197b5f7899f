// A browser on its way to an identity provider and back, and its standing proof of a person.
// spec: docs/requirements_signin.md SI19, SI24
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/signin/person.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

inline constexpr Span signin_state_lifetime{15 * 60};
inline constexpr std::size_t max_signin_states = 20; // open in one browser

// A browser that was sent to a provider and has not come back.
struct SigninState {
    Digest state;   // of the `state` parameter
    Digest browser; // that was sent there
    IdpId idp;
    std::int64_t idp_version = 0; // that it was sent with
    std::optional<FlowId> flow{}; // absent: the person comes from their own page
    Digest nonce;
    std::string verifier; // PKCE, ciphertext
    KeyId key_id;
    std::optional<Span> max_age{}; // what was asked, and must be answered
    std::string acr{};             // as max_age, blanks between; empty: none was asked
    Instant expires_at{};
    std::optional<Digest> trial{}; // the link of the operator's trial that it is for

    std::string verifier_aad() const;
};

enum class SigninEnd {
    signed_out, // by the person, who is asked next time which account they mean
    replaced,   // by another sign-in of the same browser
    logged_out, // by the provider
    ended,      // by the operator
};
std::string_view name_of(SigninEnd end);
std::optional<SigninEnd> signin_end_of(std::string_view name);

// A provider's own session, as its ID tokens and its logout tokens name it.
Digest hash_of_sid(const IdpId& idp, std::string_view sid);

// One sign-in of one browser. Its row stays while sessions have come of it.
struct BrowserSignin {
    SigninId id;
    Digest cookie; // of the secret in the browser
    PersonId person;
    IdpId idp;
    std::string provider_session{}; // `sid`; empty: the provider named none
    std::optional<Instant>
        auth_time;     // when the person last proved themselves, where the provider says so
    std::string acr{}; // how, where the provider says so
    Instant signed_in_at{};
    Instant expires_at{};
    std::optional<Instant> ended_at{};
    std::optional<SigninEnd> ended_by{};

    std::optional<Digest> sid_hash() const; // absent: the provider named none
    Instant proved_at() const { return auth_time.value_or(signed_in_at); }
};

// A sign-in with its person and with what pages say of their provider.
struct SignedIn {
    BrowserSignin signin;
    Person person;
    std::string idp_title;
    bool idp_active = false;

    Identity identity() const { return identity_of(person); }
};

// The sign-in proves its person now.
bool stands(const SignedIn& signed_in, Instant now);

// It is as new as the app of the flow wants it.
bool suffices(const SignedIn& signed_in, const WantedProof& wanted, Instant now);
// It still is, or was when the person signed in for the flow: who signed in at once may then read.
bool suffices_flow(const SignedIn& signed_in, const Flow& flow, Instant now);

} // namespace consentgate::core
