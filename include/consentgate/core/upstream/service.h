// Upstream services: MCP servers and APIs with an OAuth of their own, where people have accounts.
// Which they are, how we are known to them, and what we keep of a person's account there.
#pragma once

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

// How we came by our client id at the service: our metadata document's address is the id; the
// service registered us (RFC 7591); or the operator was given one.
enum class Registration { document, dynamic, given };
std::string_view name_of(Registration registration);
std::optional<Registration> registration_of(std::string_view name);

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

    std::string host() const;              // of its url, as people read it
    std::string client_secret_aad() const; // of client_secret, for aead.h
};

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

    std::string access_token_aad() const; // for aead.h: row, service and column
    std::string refresh_token_aad() const;
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

    std::string verifier_aad() const;
};

} // namespace consentgate::core
