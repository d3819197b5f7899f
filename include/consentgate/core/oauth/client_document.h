// Client ID Metadata Documents: a client_id that is the URL of what the client says about itself.
// spec: draft-ietf-oauth-client-id-metadata-document; requirements R23-R37
#pragma once

#include "consentgate/core/base/json.h"
#include "consentgate/core/oauth/client.h"

#include <string>
#include <string_view>

namespace consentgate::core {

inline constexpr std::size_t max_document_bytes = 5 * 1024; // bytes. spec: section 6.6
inline constexpr std::size_t max_client_url_bytes = 2048;   // of a client_id that is a URL
inline constexpr std::size_t max_key_set_bytes = 64 * 1024; // bytes of a key set that is fetched

// Such an id begins with `https://`; the ids we make never do, so neither kind can stand for the
// other.
bool names_document(const ClientId& id);

struct DocumentUrl {
    ClientId id;      // the URL as the client wrote it: the key of everything
    std::string host; // lower case; of an IPv6 address without its brackets
    int port = 443;
    std::string target;     // path and query
    bool test_host = false; // the operator lets this one be on a loopback address
    std::size_t max_bytes = max_document_bytes; // bytes that are read of it

    std::string authority() const; // as in a Host header and on a page
};

// spec: section 3; requirements R23, R30 (names and port 443 only), R37. fail:
//       invalid_client_document
Result<DocumentUrl> validate_document_url(const ClientId& id, const DocumentPolicy& policy);

// Where a client publishes its keys, by the same rules. fail: invalid_client_metadata
Result<DocumentUrl> validate_keys_url(const std::string& uri, const DocumentPolicy& policy);

// The keys of a client that proves itself by private_key_jwt: in its registration or document, or
// at an address to ask.
struct ClientKeys {
    std::string jwks, uri; // one of them is empty
};

// fail: invalid_client_metadata: none of `jwks` and `jwks_uri`, both, or one that cannot be used
Result<ClientKeys> read_client_keys(const JsonObject& from, const DocumentPolicy& policy);

// The headers in which the host of a document limits its use; empty where none was sent.
struct CacheHeaders {
    std::string cache_control, age, expires;
};

struct DocumentAnswer {
    int status = 0;
    std::string content_type; // as sent
    std::string body;
    bool too_large = false; // body holds only its beginning
    CacheHeaders caching;
};

// The client that the document describes. It authenticates with `none` where it offers that, else
// by private_key_jwt with the keys that stand in the document or at a jwks_uri of the same origin;
// one that offers neither is refused. Redirect URIs, grants and scopes that cannot be used here are
// dropped, because one document is written for all servers.
// spec: section 4; requirements R24-R29. fail: invalid_client_document
Result<Client> validate_client_document(
    const DocumentUrl& url, const DocumentAnswer& answer, const Policy& policy, Instant now);

// The key set that a jwks_uri was answered with, as it is stored. fail: invalid_client_metadata
Result<std::string> validate_key_set(const DocumentAnswer& answer);

// Whether a client's keys must be fetched before its assertion is verified.
// spec: docs/requirements.md R38, RS10
enum class KeysNeed {
    none,
    fetch,     // there are none, or they have expired
    other_key, // the assertion names another one: ask again, if nobody did in the last minute
};
KeysNeed keys_need(const Client& client, const std::string& assertion, Instant now);

// Expired keys are used for so long while their host cannot be asked.
inline constexpr Span keys_grace{3600};
// A client's keys are asked for at most once in so long because an assertion names another one.
inline constexpr Span keys_pause{60};

// How long a good document is kept: as its host says, an hour when it says nothing; at least a
// minute, so that a sign-in needs one fetch whatever the host says, and at most a day. spec:
// section 4.4; RFC 9111 section 4.2.1; requirement R32
Span document_lifetime(const CacheHeaders& caching, Instant now);

} // namespace consentgate::core
