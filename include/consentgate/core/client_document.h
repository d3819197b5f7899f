// Client ID Metadata Documents: a client_id that is the URL of what the client says about itself.
// law: draft-ietf-oauth-client-id-metadata-document; requirements R23-R37
#pragma once

#include "consentgate/core/client.h"

#include <string>
#include <string_view>

namespace consentgate::core {

inline constexpr std::size_t longest_document = 5 * 1024; // bytes. law: section 6.6

// Such an id begins with `https://`; the ids we make never do, so neither kind can stand for the other.
bool names_document(const ClientId& id);

struct DocumentUrl {
    ClientId id;         // the URL as the client wrote it: the key of everything
    std::string host;    // lower case; of an IPv6 address without its brackets
    int port = 443;
    std::string target;  // path and query
    bool test_host = false; // the operator lets this one be on a loopback address

    std::string authority() const; // as in a Host header and on a page
};

// law: section 3; requirements R23, R30 (names and port 443 only), R37. fail: invalid_client_document
Result<DocumentUrl> judge_document_url(const ClientId& id, const DocumentPolicy& policy);

// What the host of a document said about how long it may be kept; empty where it said nothing.
struct CacheHeaders {
    std::string cache_control, age, expires;
};

struct DocumentAnswer {
    int status = 0;
    std::string content_type; // as sent
    std::string body;
    bool too_large = false;   // body holds only its beginning
    CacheHeaders caching;
};

// The client that the document describes. It authenticates with `none` where it offers that, else by private_key_jwt with the
// keys that stand in the document; one that offers neither is refused.
// Redirect URIs, grants and scopes that cannot be used here are dropped, because one document is written for all servers.
// law: section 4; requirements R24-R29. fail: invalid_client_document
Result<Client> judge_document(const DocumentUrl& url, const DocumentAnswer& answer, const Policy& policy, Instant now);

// How long a good document is kept: as its host says, an hour when it says nothing; at least a minute, so that a sign-in
// needs one fetch whatever the host says, and at most a day. law: section 4.4; RFC 9111 section 4.2.1; requirement R32
Span document_lifetime(const CacheHeaders& caching, Instant now);

} // namespace consentgate::core
