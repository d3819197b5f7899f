// Upstream services: MCP servers and APIs with an OAuth of their own, where people have accounts.
// Which they are, how we are known to them, and what we keep of a person's account there.
#pragma once

#include "consentgate/core/base/failure_cause.h"
#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/client.h"
#include "consentgate/core/oauth/owner.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::core {

using RegistrationId = Id<struct RegistrationKind>; // of us, as a client of a service

// How we came by our client id at the service: our metadata document's address is the id; the
// service registered us (RFC 7591); or the operator was given one.
enum class Registration { document, dynamic, given };
std::string_view name_of(Registration registration);
std::optional<Registration> registration_of(std::string_view name);

// Where a service sends people back. An address of its own tells its answers from those of other
// services (RFC 9700 section 4.4); services from before share one.
enum class CallbackAddress { shared, own };
std::string_view name_of(CallbackAddress address);
std::optional<CallbackAddress> callback_address_of(std::string_view name);

struct Service {
    ServiceId id;       // the operator's word for it: 1 to 64 of a-z 0-9 - _, never changes
    std::string name;   // for people, UTF-8, 1 to 80 characters
    std::string url;    // of its MCP server
    std::string issuer; // of its authorization server; empty when entered by hand without one
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string registration_endpoint; // empty: none, as the next
    std::string revocation_endpoint;
    std::string resource; // what our requests name as `resource`; empty: they name none
    std::string scope;    // what is asked for; empty: no scope parameter
    Registration registration = Registration::given;
    std::string client_id; // ours, at the service
    ClientAuth auth = ClientAuth::none;
    std::string client_secret; // ciphertext, bound to the id; empty when there is none
    KeyId key_id;              // the server key it is encrypted with
    bool sends_iss = false;    // it announced that its answers name their issuer (RFC 9207)
    bool active = true;
    bool by_hand = false;     // the operator typed its endpoints; false: it named them itself
    std::int64_t version = 0; // raised by every change
    Instant created_at{};
    CallbackAddress callback = CallbackAddress::own;
    RegistrationId registration_id; // of client_id and what belongs to it; empty: the first one of
                                    // a service from before registrations had ids
    // Origins, other than the token endpoint's, that the operator named for the authorization and
    // the registration endpoint.
    std::vector<std::string> authorization_origins;
    // The service's words about us, which are believed only when it repeats them
    // (client_refusal.h).
    std::optional<Instant> client_refused_at{}; // since when it does not know our client of now
    std::optional<Instant> register_after{};    // it is not registered with anew before
    bool resource_refused = false;              // its token endpoint takes no `resource`
    // Besides ours, in what a person is sent to its authorization endpoint with: NAME=VALUE.
    std::vector<std::string> authorize_parameters;
    std::string token_path; // of the object in its replies that holds the tokens; empty: the whole
    // Not empty: people have a plain API key there, which goes into this header. Then
    // token_endpoint is where a key is tried, and nobody is sent to authorization_endpoint.
    std::string key_header;
    // A secret of ours there can end: when, and when an idle worker renews the registration next.
    std::optional<Instant> client_secret_expires_at;
    std::optional<Instant> renew_at;
    // Where the registration is managed, with a token that is a ciphertext as client_secret is (RFC
    // 7592); empty: it is not.
    std::string registration_client_uri, registration_token;

    bool names_resource() const { return !resource.empty() && !resource_refused; }
    std::string host() const;                      // of its url, as people read it
    std::optional<ServiceId> own_callback() const; // absent: people come back to the shared one
    bool takes_keys() const { return !key_header.empty(); }
    std::string client_secret_aad() const; // of client_secret, for aead.h
    std::string registration_token_aad() const;
};

// A registration of ours that a newer one has replaced. Tokens that were given to it are good with
// it alone (RFC 6749 section 6), so it is kept until the last of them is gone.
struct FormerRegistration {
    std::string id; // service and registration
    ServiceId service;
    RegistrationId registration;
    std::string client_id;
    ClientAuth auth = ClientAuth::none;
    std::string client_secret; // ciphertext, bound to the service; empty when there is none
    KeyId key_id;
    Instant ended_at{};
    std::optional<Instant> refused_at{}; // the service had confirmed that it does not know it

    std::string client_secret_aad() const; // the service's, where the secret was once
};
// The service's registration of now, once another replaces it.
FormerRegistration former_registration_of(const Service& service, Instant now);
std::string former_registration_id(const ServiceId& service, const RegistrationId& registration);
// The service as its former client has to speak to it.
Service as_registered(Service service, const FormerRegistration& former);

// The form of the ciphertexts of a linked account. In the form of now they are bound to the owner
// too, so that whoever can write to the database cannot hand one person's token to another.
inline constexpr std::int64_t current_seal = 2; // NULL, read as 0, is the form before

// A person's token at a service, as stored: the two tokens are ciphertexts.
struct LinkedAccount {
    std::string id; // 22 base64url characters; stays when the owner changes
    Owner owner;
    ServiceId service;
    std::string access_token;
    std::string refresh_token; // empty: none
    KeyId key_id;
    std::string scope;                    // as the service said; empty: it did not
    std::optional<Instant> expires_at;    // absent: the service did not say
    std::int64_t version = 0;             // raised by every change
    std::int64_t failures = 0;            // refreshes that failed one after another
    std::optional<Instant> lease_until{}; // another worker is refreshing it, until then at most
    std::string failure{};                // why the last of them failed, for the log
    std::optional<Instant> retry_at{};    // not to be refreshed before
    std::optional<Instant> broken_at{};   // since when the person must connect anew
    std::optional<Instant> created_at{};
    std::optional<Instant> updated_at{}; // when the tokens were written
    std::optional<Instant> last_used_at{};
    // Absent: it is in use. Present: its revocation at the service is pending, and failures and
    // retry_at count the attempts to revoke it.
    std::optional<Instant> ended_at{};
    RegistrationId registration{}; // of ours, that it was given to
    std::int64_t seal = current_seal;
    std::string sealed_for{}; // the owner of an ended account when it ended; else empty
    // Refusals, one after another, in words that nobody knows, and the time of the first.
    std::int64_t odd_refusals = 0;
    std::optional<Instant> odd_since{};
    FailureCause failure_cause = FailureCause::none; // of `failure`
    // Whose it is there: core/upstream/account_holder.h. Empty: the service did not tell.
    std::string holder_hash{}, holder_name{};
    // Since when the token is doubted, because its service refused it; account_doubt.h has the
    // rules.
    std::optional<Instant> doubted_at{};
    std::int64_t doubts = 0; // how often that was within ten minutes, and since when
    std::optional<Instant> doubts_since{};

    // For aead.h: row, service, owner and column. That of the form before lacks the owner; only
    // account_seal.h may open it.
    std::string access_token_aad() const;
    std::string refresh_token_aad() const;
};

// The permission to open accounts in the form of before, from the migration until all of them are
// sealed anew. Its mark is sealed with a server key, so that whoever can write to the database
// cannot grant it.
struct OldSeals {
    std::string id;
    Instant expires_at{};
    KeyId key_id;
    std::string mark; // ciphertext of nothing, bound to id and expiry

    std::string mark_aad() const;
};

// A service, and the account that an owner has linked there.
struct ServiceAccount {
    std::optional<Service> service;     // absent: unknown; then the account was not looked for
    std::optional<LinkedAccount> token; // absent: the owner has linked none
};

// A person on the way to a service and back. spec: docs/http.md Upstream authorization
struct UpstreamState {
    Digest state;   // of the `state` parameter
    Digest browser; // that was sent there
    ServiceId service;
    std::optional<FlowId> flow; // exactly one of these two is there
    std::optional<SessionId> session;
    std::string verifier; // PKCE, ciphertext
    KeyId key_id;
    Instant expires_at{};
    CallbackAddress callback = CallbackAddress::own; // the answer is good at this address alone
    RegistrationId registration{};                   // of ours, that the person was sent with

    std::optional<ServiceId> own_callback() const;
    std::string verifier_aad() const;
};

} // namespace consentgate::core
