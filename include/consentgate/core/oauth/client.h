// Clients and the rules of dynamic registration. spec: RFC 7591; requirements R1-R22
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/policy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// How a client proves who it is, in the words of RFC 7591 section 2. A secret may come in the
// header or in the body, whichever of the two was registered: libraries choose by our metadata, not
// by their registration.
enum class ClientAuth { none, client_secret_basic, client_secret_post, private_key_jwt };
std::string_view name_of(ClientAuth auth);
std::optional<ClientAuth> client_auth_of(std::string_view name); // absent: not one of ours

struct Client {
    ClientId id;
    std::string name; // as it calls itself, UTF-8, at most 200 characters; empty when it gave none
    std::vector<std::string> redirect_uris; // 1 to 16, each accepted by check_redirect_uri
    std::string scope;                      // what it registered for; empty: nothing in particular
    bool by_operator = false; // pre-registered: its name and addresses were checked by a person
    bool active = true;
    bool refresh = false; // it registered the refresh_token grant
    std::string metadata; // JSON object of its other registered members, "{}" when none
    Instant created_at{};
    std::optional<Instant> last_used_at; // last code exchange, to the day; absent when never
    ClientAuth auth = ClientAuth::none;
    Digest secret; // of its client_secret; empty when it has none
    std::string
        jwks; // its public keys, a JSON object; empty when it has none, or none were fetched yet
    std::string
        jwks_uri{}; // where they are fetched; empty when they stand in its registration or document
    std::optional<Instant> jwks_expires_at{}; // of fetched keys; absent before the first fetch
    // The mark (Keyring::caller_mark) of the caller that registered it, until its first use; empty
    // otherwise.
    std::string registered_from{};
    // It sent more redirect URIs than could be kept: its requests must name one.
    // spec: docs/requirements.md A10, XE6
    bool dropped_redirects = false;

    // A document can offer `none` and private_key_jwt together: then the client may send an
    // assertion, and one that it sends must verify. spec: docs/requirements.md XE1
    bool takes_assertions() const {
        return auth == ClientAuth::private_key_jwt ||
               (auth == ClientAuth::none && !(jwks.empty() && jwks_uri.empty()));
    }
    bool has_secret() const {
        return auth == ClientAuth::client_secret_basic || auth == ClientAuth::client_secret_post;
    }
};

// An operator who describes a client hears of every redirect URI that cannot be kept, and may give
// it any. A client that describes itself keeps those that the policy lets such clients have, and
// loses the others while one is left.
enum class Registrant { itself, an_operator };

// Builds a client from a registration body. A client that names no authentication method gets
// client_secret_basic, as the RFC says; one that names a method we do not have gets `none`, and the
// response says so (requirement R11). Unknown members are ignored, unknown scopes and grants
// dropped, and so is what is only shown and cannot be kept; the refresh_token grant is kept when
// the client asked for it and the policy has it (T26). The secret of a client that has one is drawn
// by the caller.
// in:   body  the JSON text as sent, at most 64 KiB
// fail: invalid_redirect_uri, invalid_client_metadata
// spec: RFC 7591 section 2; docs/requirements.md XE6
Result<Client> validate_registration(
    std::string_view body, const Policy& policy, ClientId fresh, Instant now,
    Registrant by = Registrant::itself);

// A client that registers itself takes at most 4 KiB of the database.
// spec: docs/requirements.md XD2. fail: invalid_client_metadata
inline constexpr std::size_t max_registration_bytes = 4 * 1024;
Checked check_own_registration(const Client& client);

// The operator lets clients that nobody checked have this redirect URI.
// in:   uri  that check_redirect_uri accepted
// fail: invalid_redirect_uri
Checked check_redirect_allowed(std::string_view uri, const RedirectPolicy& policy);

// The registration response: everything as stored, nothing null. spec: RFC 7591 section 3.2.1
// in:   secret  in clear, shown this once; absent for a client without one
std::string registration_response(const Client& client, const std::optional<Secret>& secret);

// The scopes that the client registered for and the catalogue has: the default of its requests.
ScopeSet registered_scope(const Client& client, const Policy& policy);

// The scopes this client may be granted at most: those that an operator gave it. A registration of
// its own is no limit, because clients register the scope of the first challenge and later need
// more. spec: docs/requirements.md XE3
ScopeSet max_scope(const Client& client, const Policy& policy);

// The proof that errors may go to `requested`; absent when it is not one of the client's. An error
// goes there at once only when that cannot make us an open redirector: the address is on the
// person's own computer, or an operator vouched for the client. spec: RFC 9700 section 4.11.2
std::optional<ReturnPath> match_redirect(
    const Client& client, std::string_view requested, std::optional<std::string> state,
    const RedirectPolicy& policy);

} // namespace consentgate::core
