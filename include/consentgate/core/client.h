// Clients and the rules of dynamic registration. law: RFC 7591; requirements R1-R22
#pragma once

#include "consentgate/core/error.h"
#include "consentgate/core/ids.h"
#include "consentgate/core/policy.h"
#include "consentgate/core/time.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct Client {
    ClientId id;
    std::string name;                       // as it calls itself, UTF-8, at most 200 characters; empty when it gave none
    std::vector<std::string> redirect_uris; // 1 to 16, each accepted by refuse_redirect_uri
    std::string scope;                      // what it registered for; empty: everything in the catalogue
    bool by_operator = false;               // pre-registered: its name and addresses were checked by a person
    bool active = true;
    bool refresh = false;                   // it registered the refresh_token grant
    std::string metadata;                   // JSON object of its other registered members, "{}" when none
    Instant created_at{};
    std::optional<Instant> last_used_at;    // last code exchange, to the day; absent when never
};

// Builds a client from a registration body. Only public clients: whatever authentication method was asked for, the
// client gets `none` and is told so (requirement R11). Unknown members are ignored, unknown scopes and grants dropped; the
// refresh_token grant is kept when the client asked for it and the policy has it (T26).
// in:   body  the JSON text as sent, at most 64 KiB
// fail: invalid_redirect_uri, invalid_client_metadata
Result<Client> judge_registration(std::string_view body, const Policy& policy, ClientId fresh, Instant now);

// The registration response: everything as stored, nothing null. law: RFC 7591 section 3.2.1
std::string registration_document(const Client& client);

// The scopes this client may be granted at most.
ScopeSet most_scope(const Client& client, const Policy& policy);

// The proof that errors may go to `requested`; absent when it is not one of the client's. An error goes there at once
// only when that cannot make us an open redirector: the address is on the person's own computer, or an operator vouched
// for the client. law: RFC 9700 section 4.11.2
std::optional<ReturnPath> match_redirect(const Client& client, std::string_view requested, std::optional<std::string> state);

} // namespace consentgate::core
