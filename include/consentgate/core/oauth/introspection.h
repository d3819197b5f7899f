// The facts that a resource server gets about a token.
// spec: RFC 7662; docs/requirements.md V7 to V10
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/person_facts.h"

#include <optional>
#include <string>

namespace consentgate::core {

// A guarded MCP server that may ask about tokens for its own resource, and about no others.
struct ResourceServer {
    ResourceServerId id;
    std::string resource; // as published
    Digest secret;
    bool active = true;
    Instant created_at{};
    std::vector<std::string> services{}; // whose tokens it may fetch for its callers; empty: none
    ScopeSet scope{};                    // what requests to it take; empty: the default scopes
    ResourceDescription description{};
    AllowedOrigins origins{};
    FactChoice facts{};
};

// in:   server  null: unknown
// fail: invalid_client: unknown, disabled, wrong secret, no secret; one answer for all
Checked check_resource_server(const ClientCredentials& credentials, const ResourceServer* server);

// Active when the token is good for that resource now; else nothing but that it is not (V8).
// in:   view   null: the token is unknown
//       token  its digest, as it was found by
//       person  null: nobody who signed in at a provider
// spec: RFC 7662; docs/requirements_signin.md SI80
std::string introspection_response(
    const SessionView* view, const Digest& token, const std::string& resource, const Policy& policy,
    Instant now, const PersonFacts* person = nullptr);

// Whom a token stands for, in one text: the same for every session of a virtual key or a verified
// user. Somebody who only typed a user id proved nothing and is known by that session alone.
std::string subject_of(const Session& session);
// The same for a consent in progress; its flow stands in for the session that it lacks.
std::string subject_of(const Flow& flow);
// As the log names them: of a person who signed in at a provider only as much as finds them.
// spec: docs/requirements_signin.md SI47
std::string logged_subject(const Session& session);
std::string logged_subject(const Flow& flow);
// The same of an account's owner, by who signs people in here.
std::string logged_owner(const Owner& owner, const Policy& policy);

// A name for people to read: of the key, or as it was typed. Empty when the person skipped that
// step.
std::string user_name(const SessionView& view);

} // namespace consentgate::core
