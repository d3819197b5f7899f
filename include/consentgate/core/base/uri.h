// Redirect and resource URIs. Matching is done on the text as it was sent: nothing is decoded or
// normalised, because whatever two parsers disagree about is an attack (RFC 9700 section 4.1).
#pragma once

#include "consentgate/core/base/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::core {

// The pieces of an absolute URI, as views into the text given. `port` is empty when none is
// written; `rest` is the path, query and fragment with their delimiters; `hierarchical` says
// whether "//" follows the scheme.
struct UriParts {
    std::string_view scheme, userinfo, host, port, rest;
    bool hierarchical = false;
    bool has_userinfo = false;
};

// Absent when the text is not an absolute URI of RFC 3986 characters, or its authority is
// malformed.
std::optional<UriParts> split_uri(std::string_view text);

// Scheme, host and port, as written. in: an absolute URI
std::string origin_of(const std::string& uri);
// Host and port, as people read them; empty when it is no URI.
std::string authority_of(const std::string& uri);

// Where a redirect ends up, in the words of the consent page.
enum class RedirectKind { https, loopback, private_scheme };

struct RedirectTarget {
    RedirectKind kind = RedirectKind::https;
    std::string shown; // "vscode.dev", "127.0.0.1:53111", "cursor:"
};

// in:  a URI that check_redirect_uri accepted
RedirectTarget describe_redirect(std::string_view uri);

// This may be registered as a redirect URI. The message of a refusal is plain ASCII for the
// developer of a client.
// spec: OAuth 2.1 section 2.3; RFC 8252 sections 7 and 8; docs/requirements.md R3
Checked check_redirect_uri(std::string_view uri);

// The registered URI and the requested one are the same text, or both are http on the same loopback
// host (127.0.0.1, [::1] or the literal name localhost) and differ in the port only.
// spec: OAuth 2.1 section 2.3.1; RFC 8252 section 7.3; requirements A5-A7
bool redirect_matches(std::string_view registered, std::string_view requested);

bool is_loopback_host(std::string_view host); // 127.0.0.1, [::1], localhost

// This may name a protected resource.
// spec: RFC 8707 section 2; RFC 9728 section 1.2
Checked check_resource_uri(std::string_view uri);

// Same resource, forgiving only the case of scheme and host and an empty path against "/". spec:
// requirement A20
bool same_resource(std::string_view left, std::string_view right);

// A spelling of a resource as clients write it: as same_resource, or with another or no query, or
// with or without a slash at the end. spec: docs/requirements.md XE5
bool spells_resource(std::string_view named, std::string_view resource);

// The URI with parameters appended to its own query, before no fragment (redirect URIs have none).
std::string append_query(
    std::string_view uri, const std::vector<std::pair<std::string, std::string>>& parameters);

} // namespace consentgate::core
