// Client authentication: who sends this token request? spec: RFC 6749 section 2.3, RFC 7523 section
// 3; requirements T6-T11
#pragma once

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/parameter.h"
#include "consentgate/core/oauth/client.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// The claims of a request about its sender, before any of them is verified.
struct ClientCredentials {
    enum class Kind { none, basic, post, assertion };
    Kind kind = Kind::none;
    std::string id;
    Secret secret;  // of basic and post; as sent
    Secret decoded; // of basic: form-decoded, as the RFC wants it; many libraries send it as it is
    Secret assertion;
};

// The same as it arrived.
struct SentCredentials {
    std::optional<std::string> authorization; // the header; schemes other than Basic are not for us
    Parameter client_id, client_secret, client_assertion, client_assertion_type;
    std::string caller{}; // who sends them, as caller_of says, for budgets
};

// fail: invalid_client (nothing there, malformed Basic); invalid_request (two ways at once, two
//       different client ids)
Result<ClientCredentials> read_client_credentials(const SentCredentials& sent);

// The token that a request is about; with `not_repeated` of the parameters that count.
struct NamedToken {
    Parameter token;
    Checked not_repeated = Nothing{};
};

// An assertion that must not be seen a second time.
struct AssertionUse {
    Digest id; // of client and jti
    Instant expires_at{};
};

// The client proves itself as it registered, and no other way. One answer for an unknown client and
// a wrong proof.
// in:   client  as stored; absent when it is unknown
// out:  of an assertion, what the caller must see to being used once
// fail: invalid_client
Result<std::optional<AssertionUse>> verify_client(
    const ClientCredentials& credentials, const std::optional<Client>& client, const Policy& policy,
    Instant now);

// True when the secret is that of the digest; in the same time for every secret, and without a
// digest.
bool proves_secret(const ClientCredentials& credentials, const Digest& secret);
Error client_not_authenticated(std::string reason);

// The `jwks` of a registration or a document, as it is stored. fail: invalid_client_metadata: it is
// missing, or as check_jwks
Result<std::string> read_public_keys(const JsonObject& from);

// True when the assertion names a key (`kid`) that the set does not hold: the client may have
// changed its keys since the set was fetched. False when it names none. Nothing of the assertion is
// believed. spec: RFC 7515 section 4.1.4; requirement RS10
bool names_unknown_key(const std::string& assertion, const std::string& jwks);

// It is a set of 1 to 10 public keys, RSA of at least 2048 bits or P-256.
// spec: RFC 7517. fail: invalid_client_metadata
Checked check_jwks(const std::string& jwks);

} // namespace consentgate::core
