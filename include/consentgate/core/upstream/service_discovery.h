// Finding out how people connect an account at a service, from its URL alone, and what we tell it
// about ourselves. Rules only: who asks, and over what, is usecase/services. spec: RFC 9728, RFC
// 8414, RFC 7591; MCP authorization, 2025-11-25
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/policy.h"
#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// A client of MCP sends this first.
inline constexpr std::string_view initialize_call =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{},"clientInfo":{"name":"consentgate","version":"1"}}})";

// The message of a refusal is for the operator.
Checked check_service_id(std::string_view id); // 1 to 64 of a-z, 0-9, - and _
Checked check_endpoint(
    std::string_view url); // https, or http on a loopback host; no user name, no fragment

// A parameter of a Bearer challenge, unquoted; absent when it is not there. in: name
// "resource_metadata", "scope"
std::optional<std::string> challenge_parameter(
    std::string_view authenticate, std::string_view name);

// Where to look, in order: the path inserted after the well-known path, then the root. spec: RFC
// 9728 section 3.1
std::vector<std::string> resource_metadata_urls(const std::string& url);
// RFC 8414 section 3.1 and OpenID Connect Discovery: inserted paths first, then the OpenID path
// behind the issuer's.
std::vector<std::string> server_metadata_urls(const std::string& issuer);

struct ResourceDocument {
    std::string resource;
    std::vector<std::string> servers; // issuers, at least one
    std::vector<std::string> scopes;
};
// in: url  of the service; the document must be about it, or about something above it on the same
//          origin
Result<ResourceDocument> read_resource_document(std::string_view body, const std::string& url);

struct ServerDocument {
    std::string issuer, authorization_endpoint, token_endpoint;
    std::string registration_endpoint, revocation_endpoint; // empty: none
    std::vector<std::string> scopes;
    std::vector<ClientAuth> auth_methods; // those that we have too
    bool sends_iss = false;
    bool takes_documents = false; // client_id_metadata_document_supported
    bool announces_s256 = false;  // false: the document is silent about PKCE; one that names other
                                  // methods only is refused
};
// One issuer: the same text, or without a path the same but for a slash at the end, which some
// providers write in one place and leave out in the other.
// spec: docs/requirements.md XC9
bool same_issuer(std::string_view left, std::string_view right);
// in: issuer   that the document must name
//     trusted  another that it may name, by the operator's word; empty: none
Result<ServerDocument> read_server_document(
    std::string_view body, const std::string& issuer, const std::string& trusted = {});

// No other service may get the codes that people bring back from this one's endpoints: a hostile
// service could name the authorization endpoint of a good one beside its own token endpoint
// (RFC 9700 section 4.4). An endpoint on another origin than the token endpoint's must be named by
// the operator, and none may lie where another service's does whose token endpoint is elsewhere.
// fail: the message is for the operator
Checked check_origins(const Service& service, const std::vector<Service>& others);

// The origin in its one spelling: lower case, no default port. in: an endpoint or an origin
std::string plain_origin(std::string_view url);

// Our own description as a client: callback, id where documents are accepted, and the document.
// in: own  the service whose own they are; absent: those that services from before share
std::string callback_url(const Policy& policy, const std::optional<ServiceId>& own);
std::string client_document_url(const Policy& policy, const std::optional<ServiceId>& own);
std::string own_client_document(const Policy& policy, const std::optional<ServiceId>& own);
// Whether a service elsewhere can read that document: our issuer is https and has a public name.
bool client_document_is_public(const Policy& policy);

// How we come by a client id there. given: neither way is open, and the operator must bring one.
Registration choose_registration(const ServerDocument& server, const Policy& policy);
// For a client that registers, none where the server has it and says that it knows PKCE with S256:
// a secret that cannot run out cuts nobody off. Otherwise the strongest that both have.
// spec: docs/requirements.md XC8
ClientAuth choose_auth(const ServerDocument& server, Registration registration);

// The strongest with a secret, for a server that registers no client without one; absent: it has
// none.
std::optional<ClientAuth> choose_secret(const ServerDocument& server);

// The body of a registration request. spec: RFC 7591 section 2
// in: service  with its scope, authentication and callback
std::string registration_request(const Policy& policy, const Service& service);

struct Registered {
    std::string client_id;
    ClientAuth auth = ClientAuth::none;
    Secret secret;                      // empty: none
    std::int64_t secret_expires_at = 0; // seconds since the epoch; 0: never
    std::string client_uri; // where it is managed, with `access_token` (RFC 7592); empty: nowhere
    Secret access_token;
};
// in: asked  the method of the request, which the service may have changed. spec: RFC 7591 section
//            3.2.1
Result<Registered> read_registration(std::string_view body, ClientAuth asked);

// The scope to request: the challenge's, or the resource's; with offline_access where the server
// knows it, so that it issues refresh tokens. Empty: no scope parameter.
std::string choose_scope(
    const std::optional<std::string>& challenge, const std::vector<std::string>& resource,
    const std::vector<std::string>& server);

} // namespace consentgate::core
