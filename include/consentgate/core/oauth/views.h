// Values that one statement of the database reads together, because one decision needs all of them.
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/introspection.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace consentgate::core {

// A flow with what its pages must name.
struct FlowView {
    Flow flow;
    std::string client_name;
    std::string client_metadata{}; // a JSON object; see client_links
    bool client_refreshes = false; // it registered the refresh_token grant
    bool client_by_operator = false;
    bool client_active = false;      // false too when the client was deleted meanwhile
    std::string virtual_key_name;    // of an identity that is a virtual key; else empty
    std::int64_t policy_version = 0; // of the rules, as in AccessStanding
};

// A code and the session it gives.
struct CodeView {
    IssuedCode code;
    Session session;
    AccessStanding standing{};
};

// The resource server that asks about a token, and the session of that token.
struct IntrospectionLookup {
    std::shared_ptr<const ResourceServer> server; // null: unknown; no token was looked for then
    std::shared_ptr<const SessionView> view;      // null: the token is unknown
};

// Which sessions an operator means: those that fit all members that are there. Without a member it
// means every session.
struct SessionFilter {
    std::optional<ClientId> client{};
    std::optional<std::string> resource{}; // the published spelling
    std::optional<IdentityKind> identity{};
    std::optional<VirtualKeyId> key{};
    // A verified user's name, or one that somebody typed. Those of `person` fit too, if both are
    // there: one human may have come in either way.
    std::optional<std::string> user{};
    std::optional<PersonId> person{}; // who signed in at an identity provider
};

// How many rows one sweep deleted, by kind.
struct Swept {
    std::size_t flows = 0, codes = 0, sessions = 0, tokens = 0, clients = 0;
    std::size_t keys = 0; // virtual keys whose linked accounts ended; the keys themselves stay
    bool more = false;    // a kind had as many rows as one sweep may delete: sweep again soon
    std::size_t registrations = 0; // of ours, at services
    std::size_t total() const {
        return flows + codes + sessions + tokens + clients + keys + registrations;
    }
};

} // namespace consentgate::core
